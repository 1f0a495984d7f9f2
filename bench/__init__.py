"""The project's own benchmark: what each request of a calendar program costs, side by side with a stock Radicale.

`python -m bench` measures, `--check` compares with what was measured before, `--profile` shows where the time goes.
How the figures come about stands in docs/performance.md.
"""
