"""How far the standards are kept: a table that tests prove, and what other people's programs say about a running gateway."""
