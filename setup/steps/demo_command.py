"""setup/demo: PostgreSQL, the hub simulator and Odoo with its job runner, left running to look at."""

import argparse
import secrets

from . import databases, demo_story, environment, mojaloop, places, postgres, processes, say, servers, stamp

_DESCRIPTION = """Install what is missing, start PostgreSQL, a simulated Payment Hub EE, and Odoo with its job
runner; run the main job, and leave Odoo running to look at. setup/stop ends it; a second run starts over.

With --mojaloop the payments go through Mojaloop's own scheme adapter, with its Testing Toolkit as the hub."""

_EPILOG = """variables:
  G2P_BUILD        another folder for all that the set-up makes
  ODOO_DEB         path of a downloaded package odoo-19, used instead of unstable's
  ODOO_HOME, OPENG2P_ADDONS, ODOO_PYTHON
                   run on an Odoo 17.0 with OpenG2P's own modules; see setup/README.md"""

_USUAL_PORT = 8069


def main():
    options = _parser().parse_args()
    places.prepare_build()
    say.heading("Set-up")
    with stamp.lock():
        installed = environment.install()
        template = databases.template(installed)
    processes.stop_remembered()
    try:
        ground = _start(installed, template, options)
        demo_story.tell(ground, options)
    except BaseException:
        processes.stop_remembered()
        raise
    say.line("setup/stop ends it")


def _start(installed, template, options):
    """Everything the story needs, running."""
    road = demo_story.MOJALOOP if options.mojaloop else demo_story.PAYMENT_HUB
    say.heading(f"Starting Odoo {installed.series} and {road.name}")
    database = f"{installed.name}_demo"
    databases.copy_to(installed, template, database)
    password = secrets.token_urlsafe(9)
    set_password(database, "admin", password)
    followed = places.run_folder() / "demo-odoo.pid"
    followed.unlink(missing_ok=True)
    hub = _start_peers(installed, followed) if options.mojaloop else _start_hub(installed, followed)
    processes.remember(hub.process)
    port = options.port or servers.port_or_free(_USUAL_PORT)
    odoo = servers.start_odoo(installed, database, port=port)
    processes.remember(odoo.process)
    followed.write_text(str(odoo.process.pid))
    return demo_story.Ground(road=road, odoo=odoo, hub=hub, admin_password=password)


def _start_hub(installed, followed):
    return servers.start_simulator(
        installed, "payment_hub_ee", *_as_long_as(followed), "--polling-seconds", "5"
    )


def _start_peers(installed, followed):
    arguments = mojaloop.install().arguments()
    return servers.start_simulator(
        installed, "mojaloop_peers", *_as_long_as(followed), *arguments, seconds=120
    )


def _as_long_as(followed):
    """Give the options with which the other end stays while people look at Odoo, and no longer."""
    return ("--outlive-parent", "--max-seconds", "0", "--follow", str(followed))


def set_password(database, login, password):
    """Before the server starts; Odoo replaces the text by its hash at the first log-in."""
    postgres.sql(f"UPDATE res_users SET password = '{password}' WHERE login = '{login}'", database)


def _parser():
    parser = argparse.ArgumentParser(
        prog="setup/demo",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, help=f"Odoo's port on this machine (default: {_USUAL_PORT}, or a free one)"
    )
    parser.add_argument("--mojaloop", action="store_true", help="pay through Mojaloop instead")
    demo_story.add_options(parser)
    return parser
