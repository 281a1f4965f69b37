"""The settings of a campaign as people meet them: each one's box, what it sends, and how it reads in words."""
