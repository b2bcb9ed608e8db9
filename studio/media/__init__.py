"""Files to take home: animations, videos, tables and pictures."""
