"""The fake providers: right before they are convenient."""
