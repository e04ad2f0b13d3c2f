#!/usr/bin/python3
"""burstctl as a person uses it: what it prints, where, and with which exit status. The database is filled by the unit test's own
samples (publish_test_publish --fill), burstd serves it."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from harness import BUILD, Cases, Daemon, check, popen, program

BURST, IMAGE = 'fermi-gbm-20110721T044743.760Z', 'sb26112003'
IMAGE_LINE = "04:47:43Z FALSE   0.04           sb26112003 ECLAIRs SNR 12.5 RA 143.2478 Dec -68.0289 r90 6' T0+81s REJECTED BAD_SUBTRACTION"
BURST_LINE = re.compile(r"ARCHIVE 2011-07-21 04:47:43Z TRUE    0\.93 \[\.86-\.97\] fermi-gbm-20110721T044743\.760Z GBM SNR 12\.5 in 2 det T0\+2s OPEN")


def ctl(*arguments, stdout=None):
    done = subprocess.run([program('burstctl'), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout or subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout or '', done.stderr


def filled(folder, started):
    """burstd over a database with one burst and one image."""
    subprocess.run([BUILD / 'tests/publish_test_publish', '--fill', f'{folder}/burst.db'], check=True)
    daemon = Daemon(folder)
    daemon.config.write_text(daemon.config.read_text().replace('models: {', 'models: {image: "", '))
    started.append(daemon)
    return daemon.start()


def alerts_lists_the_newest_first(folder, started):
    daemon = filled(folder, started)
    code, out, err = ctl('alerts', '--command', daemon.command)
    lines = out.splitlines()
    check(code == 0 and len(lines) == 2, f'{code}: {out} {err}')
    check(lines[0] == IMAGE_LINE, f'line is {lines[0]!r}')
    check(BURST_LINE.fullmatch(lines[1]), f'line is {lines[1]!r}')
    code, out, _ = ctl('alerts', '--command', daemon.command, '--json', '--limit', 1)
    check(code == 0 and json.loads(out)['id'] == IMAGE, f'{code}: {out}')
    code, out, _ = ctl('alerts', '--config', daemon.config, '--topic', 'burst-archive.')
    check(code == 0 and BURST_LINE.fullmatch(out.strip()), f'{code}: {out}')
    code, out, _ = ctl('alerts', '--command', daemon.command, '--topic', 'burst-test.')
    check((code, out) == (0, 'no events\n'), f'{code}: {out}')


def show_draws_light_curves(folder, started):
    daemon = filled(folder, started)
    code, out, err = ctl('show', BURST, '--command', daemon.command, '--fits', f'{folder}/evidence.fits')
    check(code == 0, err)
    sparks = [line for line in out.splitlines() if 'keV' in line]
    check(len(sparks) == 2 and sparks[0].startswith('   25- 100 keV  '), f'{sparks}')
    drawn = sparks[0].split('keV  ')[1].split('  ')[0]
    check(drawn == '\u2581' * 40 + '\u2588' + '\u2581' * 34, f'drawn {drawn!r}')
    check(sparks[0].endswith('312.5 to 3125'), sparks[0])  # two atoms of 10 or 100 counts in 64 ms
    check('p_true                    0.93\n' in out and BURST_LINE.match(out), out[:300])
    with open(f'{folder}/evidence.fits', 'rb') as f:
        check(f.read(30) == b'SIMPLE  =                    T', 'no FITS file was written')


def show_draws_the_image_in_half_blocks(folder, started):
    daemon = filled(folder, started)
    code, out, err = ctl('show', IMAGE, '--command', daemon.command)
    check(code == 0, err)
    rows = out.split('\n\n')[-1].splitlines()
    # SNR rises with the row: upper half above the middle of the scale, lower half below
    check(rows[:14] == ['\u2588' * 56] * 14 and [r.strip() for r in rows[14:28]] == [''] * 14, f'{rows[:28]}')
    check(rows[28].startswith('SNR 0.0 to 55.5 sigma'), rows[28])
    check('0 pixels of catalogued sources, 1 without data' in rows[28], rows[28])


def show_says_what_is_not_there(folder, started):
    daemon = filled(folder, started)
    code, out, err = ctl('show', 'nobody', '--command', daemon.command)
    check((code, out) == (1, '') and "no event 'nobody'" in err, f'{code} {out} {err}')
    code, out, err = ctl('show', BURST, '--record', 7, '--command', daemon.command)
    check(code == 1 and 'no revision 7' in err, f'{code} {err}')
    code, out, err = ctl('show', BURST, '--json', '--command', daemon.command)
    check(code == 0 and json.loads(out)['record_number'] == 1, f'{code} {out}')


def status_is_a_page_or_json(folder, started):
    daemon = filled(folder, started)
    code, out, err = ctl('status', '--command', daemon.command)
    check(code == 0 and out.startswith('burstd ') and 'counters' in out and 'inputs' in out, f'{code}: {out} {err}')
    check(any(line.split()[:3] == ['test', 'never', 'heard'] for line in out.splitlines()), f'no gateway in {out}')
    code, out, _ = ctl('status', '--json', '--command', daemon.command)
    check(code == 0 and json.loads(out)['counters']['verdicts'] == 0, f'{code}: {out}')


def verify_reads_beside_burstd(folder, started):
    filled(folder, started)
    code, out, err = ctl('verify', f'{folder}/burst.db')
    check(code == 0 and '4 topics, 4 messages: numbers dense, chain unbroken' in out, f'{code}: {out} {err}')
    code, _, err = ctl('verify', f'{folder}/absent.db')
    check(code == 4 and 'absent.db' in err, f'{code}: {err}')


def watch_shows_what_history_keeps(folder, started):
    daemon = filled(folder, started)
    ends = ('--live', daemon.live, '--history', daemon.history)
    code, out, err = ctl('watch', '--since', 1, '--count', 1, *ends)
    check((code, out) == (0, IMAGE_LINE + '\n'), f'{code}: {out} {err}')  # the archive is not shown unless asked for
    code, out, err = ctl('watch', '--since', '-1d', '--all', '--json', '--count', 2, *ends)
    check(code == 0 and {json.loads(x)['id'] for x in out.splitlines()} == {BURST, IMAGE}, f'{code}: {out} {err}')
    wire = {v['id']: v for v in daemon.verdicts()}
    check(all(json.loads(x) == wire[json.loads(x)['id']] for x in out.splitlines()), 'not the wire\'s JSON')


def watch_tells_of_silence_and_ends_on_a_signal(folder, started):
    p = popen(started, [program('burstctl'), 'watch', '--live', f'ipc://{folder}/a', '--history', f'ipc://{folder}/b'], f'{folder}/watch.log')
    log = pathlib.Path(folder, 'watch.log')
    until = time.time() + 60
    while 'no heartbeat from' not in log.read_text():
        check(p.poll() is None and time.time() < until, f'after 60 s: {log.read_text()}')
        time.sleep(0.1)
    p.terminate()
    check(p.wait(20) == 0, 'exit status')


def wrong_use_is_refused_with_the_way_out(folder, started):
    for arguments in ((), ('nonsense',), ('watch', '--since', 'yesterday'), ('watch', 'x'), ('watch', '--count', '0'), ('watch', '--nonsense'),
                      ('alerts', '--limit', '0'), ('alerts', '--limit', '2x'), ('show',), ('show', 'a', 'b'), ('show', 'a', '--record', '0'),
                      ('status', 'x'), ('verify', 'a', 'b')):
        code, out, err = ctl(*arguments)
        check(code == 2 and not out and err, f'{arguments}: {code} {out} {err}')
    code, _, err = ctl('watch', '--live', 'tcp://192.0.2.1:1', '--history', 'tcp://192.0.2.1:2')
    check(code == 1 and '192.0.2.1' in err, f'an endpoint that needs keys: {code} {err}')
    pathlib.Path(folder, 'bad.yaml').write_text('outptu: {}\n')
    code, _, err = ctl('watch', '--config', f'{folder}/bad.yaml')
    check(code == 3 and 'outptu' in err, f'{code} {err}')
    for name in ('watch', 'status', 'alerts', 'show', 'verify'):
        code, out, _ = ctl(name, '--help')
        check(code == 0 and out.startswith(f'usage: burstctl {name}'), f'{name} --help: {code} {out[:60]}')
    with open('/dev/full', 'w') as full:
        code, _, err = ctl('--help', stdout=full)
    check(code == 4 and 'No space left' in err, f'full output: {code} {err}')


def main():
    try:
        import zmq  # noqa: F401: the harness needs it
    except ImportError:
        print('skip burstctl: python3-zmq is not installed')
        return
    os.environ.pop('NO_COLOR', None)
    cases = Cases()
    for case in (alerts_lists_the_newest_first, show_draws_light_curves, show_draws_the_image_in_half_blocks, show_says_what_is_not_there,
                 status_is_a_page_or_json, verify_reads_beside_burstd, watch_shows_what_history_keeps,
                 watch_tells_of_silence_and_ends_on_a_signal, wrong_use_is_refused_with_the_way_out):
        cases.run(case)
    cases.finish()


if __name__ == '__main__':
    sys.exit(main())
