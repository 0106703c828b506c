"""Tests of reading articles and folding copies."""
