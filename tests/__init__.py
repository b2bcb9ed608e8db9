"""Tests; folders mirror `engines` and `studio`, and `contract` holds what every engine must keep."""
