"""Telling devices that a calendar has changed, so that they need not ask every few minutes (draft-bitfire-webdav-push, DAVx⁵).

news      a Reader: the log → which devices have to be told
message   what a device is told: that something has changed, and nothing about it
carrier   the chore that hands messages to push services

A device asks for what has changed whenever it likes; a message only says that now is a good time. So nothing is lost with a message
that never arrives, and nothing is done twice by one that comes twice: the queue holds at most one for each device, made when it is
sent, and may be late, merged or given up.
"""
