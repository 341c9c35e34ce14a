"""The `tribank` command: readies the process, then joins the commands of the rooms.

Some choices must be made before a library is loaded (the BLAS kernel FAISS uses); this is the one place.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the `tribank` command."""
    from banks.blas import ensure_kernel

    ensure_kernel()
    from service.commands import app

    import evaluation.commands as evaluation

    evaluation.register(app)
    app()


if __name__ == "__main__":
    main()
