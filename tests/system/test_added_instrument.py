#!/usr/bin/python3
"""An instrument that burstd was not built with: a burst in a made-up event file of Insight-HXMT/HE, laid out as its description says
(config/instruments/insight-hxmt-he.yaml), goes through burst-classify to a verdict; and descriptions that cannot be are refused."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import numpy as np
from harness import ROOT, program

sys.path.insert(0, str(ROOT / 'tests/bad'))
import fits_bytes  # noqa: E402

MET = 450000000.0  # 2026-04-05 in mission time; any would do
YAML = ROOT / 'config/instruments/insight-hxmt-he.yaml'
ROW = np.dtype([('Time', '>f8'), ('Det_ID', 'u1'), ('Channel', 'u1'), ('Pulse_Width', 'u1'), ('ACD', 'u1', 3), ('Event_Type', 'u1'), ('Flag', 'u1')])
COLUMNS = [('Time', '1D'), ('Det_ID', '1B'), ('Channel', '1B'), ('Pulse_Width', '1B'), ('ACD', '18X'), ('Event_Type', '1B'), ('Flag', '1B')]
failed = 0


def case(name, fault):
    global failed
    failed += bool(fault)
    print(f'FAIL {name}: {fault}' if fault else f'ok {name}')


def arrivals(rng, seconds, rate, burst):
    """Poisson arrivals: a flat background, and a burst that rises at 100 s and decays in 6 s where `burst` is its peak rate."""
    flat = rng.uniform(0, seconds, rng.poisson(rate * seconds))
    decay = 100 + rng.exponential(6.0, rng.poisson(burst * 6.0))
    return np.sort(np.concatenate([flat, decay[decay < seconds]]))


def he_rows(seed, seconds=180.0, burst=900.0):
    """18 detectors; one in five rows would not count: NaI pulses, anti-coincidence, low gain, low channels."""
    rng = np.random.default_rng(seed)
    parts = []
    for d in range(18):
        t = arrivals(rng, seconds, 600.0, burst)
        rows = np.zeros(len(t), ROW)
        rows['Time'], rows['Det_ID'] = MET + t, d
        hard = 31 + rng.exponential(45.0, len(t))
        rows['Channel'] = np.minimum(hard, 255).astype('u1')
        rows['Pulse_Width'] = rng.integers(76, 120, len(t))
        drop = rng.integers(0, 20, len(t))
        rows['Pulse_Width'][drop == 0] = 60
        rows['ACD'][drop == 1, 0] = 0x80
        rows['Event_Type'][drop == 2] = 1
        rows['Channel'][drop == 3] = 20
        parts.append(rows)
    rows = np.concatenate(parts).astype(ROW)
    return rows[np.argsort(rows['Time'], kind='stable')]


def he_file(path, rows, seconds=180.0, **changes):
    first, events = fits_bytes.primary(), fits_bytes.table('Events', COLUMNS, rows)
    keys = {'TELESCOP': 'HXMT', 'INSTRUME': 'HE', 'TIMESYS': 'TT', 'MJDREFI': 55927, 'MJDREFF': 66.184 / 86400, 'TSTART': MET,
            'TSTOP': MET + seconds}
    for hdu in (first, events):
        for key, value in (keys | changes).items():
            hdu.put(key, value)
    path.write_bytes(first.bytes() + events.bytes())


def classify(*args, config=None):
    command = [program('burst-classify'), '--json', *(['--config', str(config)] if config else []), *map(str, args)]
    env = os.environ | {'BURST_DATADIR': os.environ.get('BURST_DATADIR', str(ROOT))}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=600)


def check_verdict(folder):
    path = folder / 'he.fits'
    rows = he_rows(1)
    he_file(path, rows)
    done = classify(path)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    fault = None
    if done.returncode or len(verdicts) != 1:
        fault = f'status {done.returncode}, {len(verdicts)} verdicts: {done.stderr[-300:]}'
    elif verdicts[0]['verdict'] != 'true' or verdicts[0]['mission'] != 'Insight-HXMT' or verdicts[0]['instrument'] != 'HE':
        fault = f'{verdicts[0]["mission"]} {verdicts[0]["verdict"]} p {verdicts[0]["p_true"]}: {verdicts[0].get("reasons")}'
    elif [e['name'] for e in verdicts[0]['evidence']] != [f'd{i + 1:02d}' for i in range(18)]:
        fault = str([e['name'] for e in verdicts[0]['evidence']])
    case('a_burst_in_a_file_of_an_added_instrument_gets_a_verdict', fault)
    he_file(path, he_rows(2, burst=0.0))
    done = classify(path)
    case('a_quiet_file_of_it_gets_none', None if not done.returncode and not done.stdout else f'{done.returncode}: {done.stdout[:300]}{done.stderr[:300]}')


def check_refusals(folder):
    path = folder / 'bad.fits'
    rows = he_rows(3, 20.0)
    wrong = rows.copy()
    wrong['Det_ID'][7] = 18
    he_file(path, wrong, 20.0)
    done = classify(path)
    case('a_detector_it_does_not_have_is_refused_by_its_row',
         None if done.returncode == 1 and 'Events: row 8: Det_ID is 18, 0 to 17 expected' in done.stderr else done.stderr)
    he_file(path, rows, 20.0, MJDREFI=55926)
    done = classify(path)
    case('another_epoch_is_refused', None if done.returncode == 1 and 'the epoch MJD 55926' in done.stderr else done.stderr)


def with_folder(folder, **files):
    there = folder / 'instruments'
    there.mkdir(exist_ok=True)
    for old in there.iterdir():
        old.unlink()
    for name, text in files.items():
        (there / f'{name}.yaml').write_text(text)
    config = folder / 'burstd.yaml'
    config.write_text(f'instruments:\n  folder: "{there}"\n')
    return config


def check_descriptions(folder):
    good, path = YAML.read_text(), folder / 'he.fits'
    he_file(path, he_rows(2, 20.0, burst=0.0), 20.0)
    cases = {'a_misspelt_key_is_told_with_its_place': ({'a': good.replace('  open: 3', '  opne: 3')}, 'a.yaml:19:3: unknown key detectors.opne; did you mean detectors.open?'),
             'a_topic_of_a_built_in_mission_is_refused': ({'a': good.replace('hxmt.he', 'fermi.he')}, 'topic fermi.he (HXMT, HE) meets fermi.gbm'),
             'two_descriptions_of_one_instrument_are_refused': ({'a': good, 'b': good.replace('open: 3', 'open: 4')}, 'meets hxmt.he'),
             'a_geometry_of_another_number_of_detectors_is_refused': ({'a': good.replace('insight-hxmt-he.csv', 'gecam-b.csv')}, 'is a row more than')}
    for name, (files, part) in cases.items():
        done = classify(path, config=with_folder(folder, **files))
        case(name, None if done.returncode == 3 and part in done.stderr else f'{done.returncode}: {done.stderr[-400:]}')
    done = classify(path, config=with_folder(folder))
    case('without_the_description_the_file_is_refused', None if done.returncode == 1 and 'no instrument burstd takes' in done.stderr else done.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix='burst-added-') as name:
        folder = pathlib.Path(name)
        check_verdict(folder)
        check_refusals(folder)
        check_descriptions(folder)
    return min(failed, 125)


if __name__ == '__main__':
    sys.exit(main())
