"""odoo-bin --addons-path=ADDONS g2p_payment_keys -c FILE [-d DATABASE] (--make | --rotate | --encrypt |
--retire)"""

import argparse
import sys

from odoo.cli import Command


class PaymentKeys(Command):
    """Make and rotate the keys that encrypt the secrets of payment gateways"""

    name = "g2p_payment_keys"

    def run(self, args):
        """Exit with a sentence for people where it cannot be done."""
        # Odoo 19 loads this file alone, and the add-on only when it is needed.
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.g2p_payment_hub import key_command, secret_keys

        options = _parser(self.name).parse_args(args)
        try:
            sentences = getattr(key_command, options.step)(_database(options))
        except secret_keys.NoKeys as error:
            sys.exit(key_command.SENTENCES[error.reason])
        except key_command.Problem as error:
            sys.exit(str(error))
        sys.stdout.writelines(f"{sentence}\n" for sentence in sentences)


def _parser(name):
    parser = argparse.ArgumentParser(prog=f"odoo-bin {name}", description=PaymentKeys.__doc__)
    parser.add_argument("-c", "--config", help="Odoo's configuration file, which names the key file")
    parser.add_argument("-d", "--database", help="the database whose secrets are encrypted anew")
    parser.add_argument("--addons-path", help="where Odoo's add-ons are")
    steps = parser.add_mutually_exclusive_group(required=True)
    for step, explanation in (
        ("make", "make the key file, where there is none"),
        ("rotate", "put a new key first, and encrypt the secrets of the database with it"),
        ("encrypt", "encrypt the secrets of the database with the first key"),
        ("retire", "take away all keys but the first, when the database needs no other"),
    ):
        steps.add_argument(f"--{step}", dest="step", action="store_const", const=step, help=explanation)
    return parser


def _database(options):
    """Read Odoo's configuration; return the name of the database, or None."""
    from odoo.tools import config

    words = [f"--config={options.config}"] if options.config else []
    words += [f"--database={options.database}"] if options.database else []
    words += [f"--addons-path={options.addons_path}"] if options.addons_path else []
    config.parse_config(words)
    names = config["db_name"]
    names = names.split(",") if isinstance(names, str) else list(names or [])
    return names[0] if len(names) == 1 else None
