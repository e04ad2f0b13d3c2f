#!/usr/bin/python3
"""burstd built with a sanitizer, through a whole life: images, events, bad frames, commands, reload, restart, drain. Any report of the
sanitizer ends it with another exit status. ./run-tests --all runs this for the asan and tsan builds."""
import os
import signal
import subprocess

import numpy as np

from harness import ROOT, Cases, check, popen, program
from test_bad_input import IMAGES, Images, fits_bytes, raw


def life(folder, started):
    events = f'{folder}/events.fits'
    done = subprocess.run([program('burst-sim'), 'events', '--scenario', 'burst', '--snr', '40', '--duration', '75', '--seed', '5', '--out', events],
                          capture_output=True, text=True, env=dict(os.environ, BURST_DATADIR=os.environ.get("BURST_DATADIR", str(ROOT))))
    check(done.returncode == 0, done.stderr)
    s = Images(folder, started)
    for i in range(6):
        s.send_good()
        raw(s, [IMAGES, b'short', b'x'])
    s.gateway.send(b'burst-archive.v1.gecam-b.grd.events', open(events, 'rb').read()[:2880 * 40])  # cut short
    for seed in range(3):
        s.gateway.send(b'burst-archive.v1.fermi.gbm.events', fits_bytes.gbm(np.random.default_rng(seed)).bytes())
    s.all_good_have_verdicts()
    check(s.daemon.ask(command='show', id='sb26000001')['ok'], 'show')
    check(s.daemon.ask(command='alerts')['ok'], 'alerts')
    for i in range(6):  # known sources change while sub-images are masked with them
        s.send_good()
        answer = s.daemon.ask(command='catalog', action='add', name=f'N {i}', ra_deg=80 + i, dec_deg=20, by='test', comment='sanitized')
        check(answer['ok'], f'{answer}')
    s.all_good_have_verdicts()
    check(s.daemon.ask(command='catalog', action='show', name='N 0')['ok'], 'catalog show')
    s.daemon.config.write_text(s.daemon.config.read_text() + 'log: {level: debug}\n')
    s.daemon.process.send_signal(signal.SIGHUP)
    s.settle(1)
    code = s.daemon.stop()
    check(code == 0, f'exit status {code}: {s.daemon.log.read_text()[-3000:]}')
    s.gateway.close()
    s.daemon.start()
    popen(started, [program('burst-replay'), events, '--speed', 'max', '--live', s.daemon.gateway_live, '--history', s.daemon.gateway_history],
          f'{folder}/replay.log')
    check(s.daemon.wait_for(lambda c: c['counters']['windows'] >= 30, 120), f'windows after the restart: {s.daemon.status()["counters"]}')
    code = s.daemon.stop()
    check(code == 0, f'exit status {code} after the restart: {s.daemon.log.read_text()[-3000:]}')
    log = s.daemon.log.read_text()
    check('Sanitizer' not in log and 'runtime error' not in log, log[-3000:])


def a_whole_life_without_a_report(folder, started):
    return life(folder, started)


if __name__ == '__main__':
    cases = Cases()
    cases.run(a_whole_life_without_a_report)
    cases.finish()
