"""The core that every process shares: domain, storage, queue and live channel.

Never imports `api` or `worker`.
"""
