#!/usr/bin/python3
"""Every notice of make_notices.py through ingest: the right refusal, in words that say what and where, and the next good one
read as if nothing had happened. Then good notices cut at every length and with every byte damaged: each is answered."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import make_notices

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get('BURST_BUILD', HERE.parents[1] / 'build/release'))


def dump(lines):
    done = subprocess.run([BUILD / 'parity/notice_dump'], input=''.join(f'{x}\n' for x in lines).encode(), timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def judge(entry, answer, good, first_good):
    if answer['code'] != entry['code']:
        return f'{answer["code"]} ("{answer.get("text")}"), {entry["code"]} expected'
    if entry['code'] != 'ok' and entry['part'] not in answer['text']:
        return f'"{answer["text"]}" lacks "{entry["part"]}"'
    if good != first_good:
        return f'the good notice after it gave {good}'
    return None


def line_of(entry, folder):
    return f'live {entry["topic"].split(".")[0]} {entry["content"]} {folder}/{entry["name"]}'


def check_list(folder, entries):
    failed, good = 0, line_of(next(e for e in entries if e['name'] == 'good_svom.xml'), folder)
    lines = [good]
    for e in entries:
        lines += [line_of(e, folder), good]
    answers, done = dump(lines)
    if done.returncode or done.stderr or len(answers) != len(lines):
        print(f'FAIL every_notice_is_answered_in_silence: exit {done.returncode} after {len(answers)} of {len(lines)}: {done.stderr[-2000:]!r}')
        return 1
    print('ok every_notice_is_answered_in_silence')
    for i, e in enumerate(entries):
        why = judge(e, answers[1 + 2 * i], answers[2 + 2 * i], answers[0])
        print(f'FAIL {e["name"]}: {why}' if why else f'ok {e["name"]}')
        failed += why is not None
    return failed


def damaged(body):
    """The body cut at every length, and with every byte changed to the one a flipped bit makes of it."""
    for n in range(len(body)):
        yield body[:n]
    for i, byte in enumerate(body):
        yield body[:i] + bytes([byte ^ (1 << (i % 8))]) + body[i + 1:]


def check_damage(folder, topic, content, body):
    lines = []
    for i, bad in enumerate(damaged(body)):
        path = pathlib.Path(folder) / f'damaged_{content}_{i}'
        path.write_bytes(bad)
        lines.append(f'live {topic.split(".")[0]} {content} {path}')
    answers, done = dump(lines)
    wrong = [a for a in answers if a['code'] not in ('ok', 'format', 'truncated', 'missing', 'unsupported', 'range', 'time', 'conflict', 'limit')]
    bad = done.returncode or done.stderr or len(answers) != len(lines) or wrong
    text = f'exit {done.returncode}, {len(answers)} of {len(lines)} answered, {wrong[:2]}, {done.stderr[-500:]!r}'
    print(f'FAIL damaged_{content}: {text}' if bad else f'ok damaged_{content}: {sum(a["code"] == "ok" for a in answers)} of {len(answers)} could still be read')
    return bool(bad)


def main():
    s = make_notices.everything()
    with tempfile.TemporaryDirectory() as folder:
        for name, body in s.files.items():
            pathlib.Path(folder, name).write_bytes(body)
        failed = check_list(folder, s.entries)
        failed += check_damage(folder, make_notices.SVOM, 'xml', make_notices.svom())
        failed += check_damage(folder, make_notices.SVOM, 'json', json.dumps(make_notices.svom_json()).encode())
        failed += check_damage(folder, make_notices.GECAM, 'binary', make_notices.packet(make_notices.GECAM_WORDS))
    enough = len(s.entries) >= 200
    print(f'{"ok" if enough else "FAIL"} there_are_two_hundred_notices: {len(s.entries)}')
    return min(failed + (not enough), 125)


if __name__ == '__main__':
    sys.exit(main())
