"""Commands about the key that seals what must be shown again."""

from __future__ import annotations

import typer

from gateway.cli.frame import Office, Shown, command, counted

secrets = typer.Typer(help="The key of the installation.", no_args_is_help=True)

NEXT = "The former key is not needed any more: take it out of secrets.retired_keys, once every process runs with the new one."


@command(secrets, "rotate", without=("company",))
def rotate(office: Office) -> Shown:
    """Seal everything anew with the first key: feed links, letters that wait, accounts elsewhere, devices. May be repeated.

    Before: put the former key into secrets.retired_keys and the new one into secrets.key (or key_file), and start every process anew.
    """
    with office.opened() as parts, counted(office, "Sealing anew", parts.store.sealed()) as upto:
        done = None
        for done in parts.store.reseal(parts.seal.renewed):
            upto(done.seen)
    facts = {"looked_at": done.seen if done else 0, "sealed_anew": done.renewed if done else 0, "lost": done.lost if done else 0}
    if facts["lost"]:
        return Shown(facts, note=f"{facts['lost']} values fit none of the keys; add the one they were sealed with to secrets.retired_keys.")
    return Shown(facts, note=NEXT)
