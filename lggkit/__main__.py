"""``python -m lggkit``."""


def main() -> None:
    """Runs the command line."""
    from lggkit.study.commands.cli import app

    app(prog_name="python -m lggkit")


if __name__ == "__main__":
    main()
