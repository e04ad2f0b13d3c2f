#!/usr/bin/python3
"""Every file of make.py through ingest: the right refusal, in words that say what and where, and the next good file of the
same kind read as if nothing had happened. One process reads them all, so that nothing can be left behind by one for the
next; under ASan and UBSan when the build has them."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import classes

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', HERE.parents[1] / 'build/release'))
GOOD = {'fermi.gbm.events': 'good_gbm', 'gecam-b.grd.events': 'good_gecam', 'gecam-c.grd.events': 'good_gecam_c',
        'svom.grm.events': 'good_grm', 'svom.eclairs.subimage': 'good_subimage'}
# Refusals about the file as a whole, which no byte offset would make clearer.
WHOLE = ('empty', 'compressed with', 'no FITS', 'no HDU', 'no EVENTSnn')


def ingest(pairs):
    text = ''.join(f'burst.v1.{topic} {path}\n' for topic, path in pairs)
    done = subprocess.run([BUILD / 'parity/ingest_dump', 'ingest'], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return answers, done


def judge(entry, answer, good, first_good):
    if answer['code'] != entry['code']:
        return f'{answer["code"]} ("{answer["text"]}"), {entry["code"]} expected'
    if entry['part'] not in answer['text']:
        return f'"{answer["text"]}" lacks "{entry["part"]}"'
    if entry['code'] != 'ok' and 'byte' not in answer['text'] and not any(w in answer['text'] for w in WHOLE):
        return f'"{answer["text"]}" does not say where'
    if good != first_good:
        return f'the good file after it gave {good}'
    return None


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / 'make.py', '--out', folder], check=True, stdout=subprocess.DEVNULL)
        entries = json.loads(pathlib.Path(folder, 'list.json').read_text())
        good = {t: (t, f'{folder}/{name}.fits') for t, name in GOOD.items()}
        pairs = list(good.values())
        for e in entries:
            pairs += [(e['topic'], f'{folder}/{e["name"]}'), good[e['topic']]]
        answers, done = ingest(pairs)
    if done.returncode or len(answers) != len(pairs):
        print(f'FAIL every_file_is_answered: exit {done.returncode} after {len(answers)} of {len(pairs)}: '
              f'{done.stderr.decode(errors="replace")[-2000:]}')
        return 1
    print('ok every_file_is_answered')
    first = dict(zip(good, answers))
    for i, e in enumerate(entries):
        k = len(good) + 2 * i
        why = judge(e, answers[k], answers[k + 1], first[e['topic']])
        print(f'FAIL {e["name"]}: {why}' if why else f'ok {e["name"]}')
        failed += why is not None
    missing = list(classes.faults(entries))
    print(f'FAIL every_class_has_its_case: {"; ".join(missing)}' if missing else 'ok every_class_has_its_case')
    return min(failed + bool(missing), 125)


if __name__ == '__main__':
    sys.exit(main())
