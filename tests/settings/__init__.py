"""What the operator decides, what the gateway says about itself, and how it keeps secrets."""
