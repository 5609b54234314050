"""The client of Mifos Payment Hub EE."""

from .mutant import Mutant, reconcile, unit

_CLIENT = "g2p_payment_hub/client"

MUTANTS = (
    Mutant(
        "look-alikes go into different batches",
        f"{_CLIENT}/batching.py",
        "        seen[key] += 1\n",
        "",
        unit("batching"),
    ),
    Mutant(
        "signature of the upload",
        f"{_CLIENT}/payment_hub.py",
        "            signature.HEADER: signature.sign(data, self._key),\n        }\n        if "
        "settings.institution:",
        '            signature.HEADER: "AAAA",\n        }\n        if settings.institution:',
        unit("case_01"),
    ),
    Mutant(
        "signature of the answer",
        f"{_CLIENT}/payment_hub.py",
        "        if not signature.verifies(answer.body.decode(",
        "        if False and not signature.verifies(answer.body.decode(",
        unit("test_contract"),
    ),
    Mutant(
        "TLS verification",
        f"{_CLIENT}/http.py",
        '        conn.cert_reqs = "CERT_REQUIRED"\n',
        '        conn.cert_reqs = "CERT_NONE"\n        self._tls.check_hostname = False\n'
        "        self._tls.verify_mode = ssl.CERT_NONE\n",
        unit("test_http"),
    ),
    Mutant(
        "redirects are not followed",
        f"{_CLIENT}/http.py",
        "            response = self._adapter.send(request, stream=True, timeout=timeout, proxies={})\n",
        "            session = requests.Session()\n"
        "            session.mount('http://', self._adapter)\n"
        "            session.mount('https://', self._adapter)\n"
        "            response = session.send(request, stream=True, timeout=timeout)\n",
        unit("test_http"),
    ),
    Mutant(
        "completed counts as paid only when the workflow's variables agree",
        f"{_CLIENT}/payment_hub.py",
        "        if self._settings.verify_completed and is_open and not self._settings.closed_loop:\n",
        "        if False:\n",
        unit("test_contract"),
    ),
    Mutant(
        "a slow hub is asked for some rows at a time",
        f"{_CLIENT}/payment_hub.py",
        " if self._now() < self._verify_until else {}\n",
        "\n",
        unit("test_outcomes"),
    ),
    Mutant(
        "a failure after which money may have moved is a doubt, in whatever letters",
        f"{_CLIENT}/answers.py",
        "code.lower() in _MAYBE_PAID",
        "code in _MAYBE_PAID",
        unit("test_failures"),
    ),
    Mutant(
        "a closed-loop row that has its end is no stranger",
        f"{_CLIENT}/payment_hub.py",
        "        ours = still_open.union(ended)\n",
        "        ours = still_open\n",
        reconcile("TestClosedLoop"),
    ),
    Mutant(
        "what others say can be written down: texts",
        f"{_CLIENT}/kept.py",
        '    return _CANNOT_BE_KEPT.sub("\\ufffd", said)\n',
        "    return said\n",
        unit("test_kept"),
    ),
    Mutant(
        "what others say can be written down: amounts",
        f"{_CLIENT}/kept.py",
        "    return said if usual else None\n",
        "    return said\n",
        unit("test_kept"),
    ),
    Mutant(
        "what others say can be written down: times",
        f"{_CLIENT}/kept.py",
        "    return said if _FIRST_YEAR <= said.year <= _LAST_YEAR else None\n",
        "    return said\n",
        unit("test_kept"),
    ),
)
