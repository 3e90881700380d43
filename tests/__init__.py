"""Tests mirror the source; contracts/ holds one suite for every channel, collector and cache tier."""
