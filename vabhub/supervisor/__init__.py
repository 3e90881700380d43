"""`vabhub up`: one small process that starts, watches and stops all the others.

It imports the standard library only. Settings, SQLAlchemy and Redis clients load in short-lived
children, so that watching costs no more memory than Python itself.
"""
