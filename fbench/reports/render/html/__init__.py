"""The HTML report: its sections, figures, templates and files."""
