#!/usr/bin/python3
"""Verdicts as JSON against the committed schema, by python3-jsonschema, and against the checks of burst-probe."""
import copy
import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import types

from report import BUILD, ROOT, case, exit_status

PROBE = ROOT.parent / 'shared/tools/burst-probe'
SCHEMA = json.loads((ROOT / 'config/schema/verdict-1.json').read_text())


def samples():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([BUILD / 'tests/publish_test_json', '--samples', folder], check=True)
        return {p.stem: json.loads(p.read_text()) for p in sorted(pathlib.Path(folder).glob('*.json'))}


def unknown(value, schema, path='$'):
    """Members the schema does not describe: a misspelt one would otherwise pass, because version 1 grows by adding."""
    if isinstance(value, list):
        return sum((unknown(v, schema.get('items', {}), f'{path}[]') for v in value), [])
    if not isinstance(value, dict) or 'properties' not in schema:
        return []
    here = [f'{path}.{k} is not in the schema' for k in value if k not in schema['properties']]
    return here + sum((unknown(v, schema['properties'].get(k, {}), f'{path}.{k}') for k, v in value.items()), [])


def mutations(v):
    """(what was done, changed verdict): each must be refused by the schema."""
    def change(**kw):
        m = copy.deepcopy(v)
        for k, x in kw.items():
            m.pop(k, None) if x is None else m.update({k: x})
        return m
    yield 'no id', change(id=None)
    yield 'no model', change(model=None)
    yield 'no verdict', change(verdict=None)
    yield 'p_true 2', change(p_true=2)
    yield 'p_true null', {**v, 'p_true': None}
    yield 'time without Z', change(trigger_time=v['trigger_time'][:-1])
    yield 'unknown class', change(classification={'Meteor': 1})
    yield 'unknown word', change(verdict='maybe')
    yield 'false without reason', {k: x for k, x in change(verdict='false').items() if k != 'reason_code'}
    yield 'update at record 1', change(alert_type='update', record_number=1)
    yield 'ra without dec', {k: x for k, x in change(ra=10).items() if k != 'dec'}


def probe_faults(v):
    loader = importlib.machinery.SourceFileLoader('burst_probe', str(PROBE))
    sys.dont_write_bytecode = True  # the folder is shared: nothing is left behind in it
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('burst_probe', loader))
    loader.exec_module(module)
    faults = []
    consumer = types.SimpleNamespace(events={}, a=types.SimpleNamespace(from_start=v['record_number'] == 1), fault=faults.append)
    module.Consumer.verdict(consumer, 'here', 8 if v['alert_type'] == 'retraction' else 0, v)
    return faults


def main():
    try:
        import jsonschema
    except ImportError:
        print('skip verdicts_keep_the_schema: python3-jsonschema is not installed')
        return 0
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    verdicts = samples()
    case('there_are_samples_of_every_kind', [] if set(verdicts) == {'awaiting', 'burst', 'image', 'retraction', 'longest'} else [sorted(verdicts)])
    case('verdicts_keep_the_schema', [f'{n}: {e.json_path}: {e.message[:200]}' for n, v in verdicts.items() for e in validator.iter_errors(v)])
    case('the_schema_describes_every_member', sum((unknown(v, SCHEMA) for v in verdicts.values()), []))
    case('the_schema_refuses_broken_verdicts', [what for what, m in mutations(verdicts['burst']) if validator.is_valid(m)])
    if PROBE.exists():
        case('burst_probe_finds_no_rule_broken', [f'{n}: {f}' for n, v in verdicts.items() for f in probe_faults(v)])
    else:
        print('skip burst_probe_finds_no_rule_broken: ../shared/tools/burst-probe is absent')
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
