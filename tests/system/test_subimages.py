#!/usr/bin/python3
"""Sub-images whole, through the running daemon: the edges of the sky, what is small, lost, late, doubled, out of order or wrong; Moon
and platform."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from harness import ROOT, SLOW, Cases, check
from subimages import LIVE, Image, Images, forced, quality, utc


# ---- what may be missing ----

def at_all_edges_of_the_sky_the_verdict_points_to_the_trigger_pixel(folder, started):
    s, image = Images(folder, started), Image(folder)
    cases = {}
    for y in (0, 100, 199):
        for z in (0, 100, 199):
            cases[f'sb26edge{y:03d}{z:03d}'] = image.moved(y, z)
    for name, one in cases.items():
        s.send(one.but(BURST_ID=name))
    told = s.records(len(cases))
    for name, one in cases.items():
        v = told[name][0]
        ra, dec = one.trigger()
        check(abs(v['dec'] - dec) < 1e-5 and abs((v['ra'] - ra + 180) % 360 - 180) < 1e-5, f'{name}: {v["ra"]} {v["dec"]}, {ra} {dec} expected')
        check('partial_image' not in quality(v) and v['verdict'] in ('true', 'unclear') and v['reason_code'] != 'PARTIAL_IMAGE',
              f'{name}: {v["verdict"]} {quality(v)} {v["reasons"]}')
    check(sum(told[n][0]['verdict'] == 'true' for n in cases) >= 7, f'{[(n, told[n][0]["p_true"]) for n in cases]}')
    code, out, err = s.ctl('show', 'sb26edge000199', '--json')
    check(code == 0 and json.loads(out)['id'] == 'sb26edge000199', err)


def small_images_are_judged_as_far_as_they_go(folder, started):
    s, image = Images(folder, started), Image(folder).moved(100, 100)
    sizes = [(1, 1), (1, 56), (56, 1), (2, 3), (27, 28), (28, 28), (55, 56), (40, 30)]
    for y, z in sizes:
        y0, z0 = 28 - y // 2, 28 - z // 2
        s.send(image.cut(y0, y0 + y, z0, z0 + z).but(BURST_ID=f'sb26size{y}x{z}'))
    told = s.records(len(sizes))
    for y, z in sizes:
        v = told[f'sb26size{y}x{z}'][0]
        check('partial_image' in quality(v), f'{y} x {z}: {quality(v)}')
        if y * z < 784:
            forced(v, 'PARTIAL_IMAGE', ['partial_image'])
            check(f'Only {y * z} of 3136 pixels have data' in v['reasons'][0], f'{v["reasons"]}')
        else:
            check(v['verdict'] == 'true' and v['reason_code'] in ('POINT_SOURCE', 'KNOWN_SOURCE'), f'{y} x {z}: {v["verdict"]} {v["p_true"]} {v["reasons"]}')


def lost_rows_and_blocks_leave_a_verdict_and_a_lost_trigger_an_unclear_one(folder, started):
    s, image = Images(folder, started), Image(folder).moved(100, 100)
    s.send(image.hole(slice(0, 7)).but(BURST_ID='sb26rows'))
    s.send(image.hole(slice(35, 42), slice(0, 56)).hole(slice(49, 56)).but(BURST_ID='sb26stripes'))
    s.send(image.hole(slice(40, 56), slice(36, 56)).but(BURST_ID='sb26block'))
    s.send(image.hole(28, 28).but(BURST_ID='sb26trigger'))
    s.send(image.hole(slice(28, 35)).but(BURST_ID='sb26triggerrows'))
    s.send(image.but(BURST_ID='sb26beside', TRIGY=100 - 40))
    told = s.records(6)
    for name in ('sb26rows', 'sb26stripes', 'sb26block'):
        v = told[name][0]
        check(v['verdict'] == 'true' and quality(v) == ['partial_image'], f'{name}: {v["verdict"]} {v["p_true"]} {quality(v)} {v["reasons"]}')
    for name, missing in (('sb26trigger', 1), ('sb26triggerrows', 7 * 56)):
        forced(told[name][0], 'PARTIAL_IMAGE', ['partial_image', 'trigger_without_data'])
        check(f'{missing} pixels of the frame are missing' in told[name][0]['reasons'][0], f'{told[name][0]["reasons"]}')
        check('snr' not in told[name][0]['evidence'][0], f'{told[name][0]["evidence"]}')
    forced(told['sb26beside'][0], 'PARTIAL_IMAGE', ['trigger_without_data'])


# ---- order ----

def x_band_revises_vhf_and_what_comes_late_changes_nothing(folder, started):
    s, image = Images(folder, started), Image(folder)
    s.send(image.hole(slice(0, 14)).but(BURST_ID='sb26one', ALERTCNT=0, DSTREAM='VHF'))
    s.records(1)
    s.send(image.but(BURST_ID='sb26one', ALERTCNT=0, DSTREAM='XBAND'))
    s.records(2)
    s.send(image.but(BURST_ID='sb26two', ALERTCNT=0, DSTREAM='XBAND'))  # comes first
    s.send(image.hole(slice(0, 7)).but(BURST_ID='sb26two', ALERTCNT=0, DSTREAM='VHF'))
    s.send(image.but(BURST_ID='sb26three', ALERTCNT=2, SNR=12.0))  # refined alerts, out of order
    s.send(image.but(BURST_ID='sb26three', ALERTCNT=1, SNR=11.0))
    s.send(image.but(BURST_ID='sb26three', ALERTCNT=3, SNR=13.0))
    told = s.records(5)
    check(s.wait(lambda c: c.get('bad_subimage.late') == 2), f'{s.daemon.status()["counters"]}')
    told = s.records(5)
    check([len(told[n]) for n in ('sb26one', 'sb26two', 'sb26three')] == [2, 1, 2], f'{ {n: len(v) for n, v in told.items()} }')
    one = told['sb26one']
    check(quality(one[0]) == ['partial_image'] and quality(one[1]) == [], f'{[quality(v) for v in one]}')
    check(one[1]['record_number'] == 2 and one[1]['supersedes'] == 1 and one[1]['alert_type'] == 'update', f'{one[1]}')
    check(one[0]['trigger_time'] == one[1]['trigger_time'], f'{[v["trigger_time"] for v in one]}')
    log = s.daemon.log.read_text()
    check('alert 0 (VHF) of sb26two comes after record 1' in log, f'{log[-1500:]}')


def doubled_images_are_counted_and_other_pixels_raise_an_alarm(folder, started):
    s, image = Images(folder, started), Image(folder).but(BURST_ID='sb26twin')
    other = image.but()
    other.snr[3, 3] += 1
    s.send(image)
    s.records(1)
    s.send(image)  # the same bytes
    s.send(other)
    s.send(other)  # those again: a body seen before
    third = image.but()
    third.snr[4, 4] += 1
    s.send(third)
    s.send(Image(folder, 'true', 41).but(BURST_ID='sb26next'))
    told = s.records(2)
    counters = s.daemon.status()['counters']
    check(counters['duplicates'] == 2 and counters['bad_subimage.conflict'] == 2, f'{counters}')
    check(len(told['sb26twin']) == 1 and len(told['sb26next']) == 1, f'{ {n: len(v) for n, v in told.items()} }')
    alarms = [x for x in s.daemon.log.read_text().splitlines() if 'ALARM' in x]
    check(len(alarms) == 2 and all('sb26twin: sub-image ALERTCNT 0 of VHF came before with other bytes' in x for x in alarms), f'{alarms}')
    # What was told is remembered over a restart: no record is told twice, and other pixels are still an alarm.
    s.wait(lambda c: False, 2)
    s.daemon.kill()
    s.daemon.start()
    fourth = image.but()
    fourth.snr[5, 5] += 1
    s.gateway.stream = bytes(reversed(s.gateway.stream))  # another log, or the restart point would pass over what it holds
    s.gateway.last, s.gateway.kept = {}, {}
    s.send(fourth)
    s.send(image)
    s.send(Image(folder, 'true', 42).but(BURST_ID='sb26last'))
    check(s.wait(lambda c: c['images'] >= 1 and c.get('bad_subimage.conflict') == 2), f'{s.daemon.status()["counters"]}')
    check(s.daemon.log.read_text().count('ALARM') == 4, s.daemon.log.read_text()[-1500:])
    told = collections.Counter(v['id'] for v in s.daemon.verdicts())
    check(told['sb26twin'] == 1 and told['sb26last'] == 1, f'{told}')


def before_its_notice_or_an_hour_late_it_is_judged_and_told_how_late(folder, started):
    s, image = Images(folder, started), Image(folder)
    now = time.time()
    late = image.but(BURST_ID='sb26late', DATE_OBS=utc(now - 3720), DATE_END=utc(now - 3700))
    fresh = image.but(BURST_ID='sb26fresh', DATE_OBS=utc(now - 60), DATE_END=utc(now - 40))
    s.send(late, LIVE, 0)
    s.send(fresh, LIVE, 0)  # no notice has come for it
    told = s.records(2)
    for name, least in (('sb26late', 3720), ('sb26fresh', 60)):
        v = told[name][0]
        check(v['verdict'] == 'true' and v['alert_tense'] == 'current', f'{name}: {v["verdict"]} {v["alert_tense"]} {v["reasons"]}')
        check(least <= v['latency']['since_trigger'] < least + 120 * SLOW, f'{name}: {v["latency"]}')
    s.trigger('sb26fresh', now - 60, fresh.trigger())
    records = s.records(3)['sb26fresh']
    check([v['record_number'] for v in records] == [1, 2] and records[1]['verdict'] == 'true', f'{records}')
    check(abs(records[1]['ra_dec_error'] - 0.1) < 1e-9 and records[1]['trigger_time'] == records[0]['trigger_time'], f'{records[1]}')


def after_its_notice_it_revises_the_notices_event_unless_it_looks_elsewhere(folder, started):
    s, image = Images(folder, started), Image(folder)
    now = time.time()
    times = {'DATE_OBS': utc(now - 60), 'DATE_END': utc(now - 40)}
    right, wrong = image.but(BURST_ID='sb26right', **times), image.but(BURST_ID='sb26wrong', **times)
    ra, dec = image.trigger()
    s.trigger('sb26right', now - 60, (ra, dec))
    s.trigger('sb26wrong', now - 60, (ra, dec - 5 if dec > 0 else dec + 5))
    told = s.records(2)
    check(all(told[n][0]['record_number'] == 1 and not told[n][0].get('evidence') for n in ('sb26right', 'sb26wrong')), f'{told}')
    s.send(right, LIVE, 0)
    s.send(wrong, LIVE, 0)
    told = s.records(4)
    v = told['sb26right'][-1]
    check(v['record_number'] == 2 and v['verdict'] == 'true' and quality(v) == [], f'{v}')
    v = told['sb26wrong'][-1]
    check(v['record_number'] == 2, f'{v}')
    forced(v, 'OTHER', ['wcs_conflict'])
    check('put the trigger 5.0 degrees from the notice' in v['reasons'][0], f'{v["reasons"]}')


# ---- wrong ----

def every_odd_image_that_is_taken_says_what_is_odd(folder, started):
    subprocess.run([ROOT / 'tests/bad/make.py', '--out', f'{folder}/bad'], check=True, stdout=subprocess.DEVNULL)
    entries = [e for e in json.loads(pathlib.Path(folder, 'bad/list.json').read_text()) if 'quality' in e and e['topic'].endswith('subimage')]
    check(len(entries) >= 12, f'{len(entries)} entries')
    s = Images(folder, started)
    for i, e in enumerate(entries):
        body = pathlib.Path(folder, 'bad', e['name']).read_bytes()
        check(body.count(b"'sb26111801'") == 1, e['name'])
        s.send(body.replace(b"'sb26111801'", f"'sb261118{i:02d}'".encode()))
    told = s.records(len(entries))
    reason = {'no_wcs': 'OTHER', 'bytes_swapped': 'OUT_OF_DISTRIBUTION', 'no_noise': 'OUT_OF_DISTRIBUTION'}
    for i, e in enumerate(entries):
        v = told[f'sb261118{i:02d}'][0]
        check(quality(v) == e['quality'], f'{e["name"]}: {quality(v)}, {e["quality"]} expected')
        for word in set(e['quality']) & set(reason):
            forced(v, reason[word], [word])
        check(('ra' in v) == ('no_wcs' not in e['quality']), f'{e["name"]}: position {v.get("ra")}')
    code, out, err = s.ctl('show', 'sb26111800', '--fits', f'{folder}/evidence.fits')
    check(code == 0, err)
    unplaced = next(i for i, e in enumerate(entries) if e['quality'] == ['no_wcs'])
    check(s.wait(lambda c: s.ctl('show', f'sb261118{unplaced:02d}', '--fits', f'{folder}/evidence.fits')[0] == 0 and
                 os.path.exists(f'{folder}/evidence.fits')), 'no evidence of an image without coordinates')
    with fits.open(f'{folder}/evidence.fits') as f:
        check(f[0].data.shape == (56, 56) and 'CRVAL1' not in f[0].header, f'{f[0].header}')


def turned_bytes_and_no_noise_are_seen_in_simulated_images_of_every_family(folder, started):
    s = Images(folder, started)
    families = ('true', 'outburst', 'setting', 'badsub', 'saa', 'column', 'xrdpix', 'hotpix', 'artefact', 'noise')
    for i, family in enumerate(families):
        image = Image(folder, family, 60 + i)
        s.send(image.but(BURST_ID=f'sb26a{family}'))
        s.send(image.but(BURST_ID=f'sb26b{family}').bytes('<f4'))
    told = s.records(2 * len(families), 240)
    for family in families:
        plain, turned = told[f'sb26a{family}'][0], told[f'sb26b{family}'][0]
        check(not set(quality(plain)) & {'bytes_swapped', 'no_noise', 'no_wcs'}, f'{family}: {quality(plain)}')
        forced(turned, 'OUT_OF_DISTRIBUTION', ['bytes_swapped'])
        check(turned['evidence'][0]['score'] == plain['evidence'][0]['score'], f'{family}: {turned["evidence"]}, {plain["evidence"]}')


# ---- the satellite ----

def the_moon_stands_where_the_satellite_saw_it(folder, started):
    import astropy.units as u
    from astropy.coordinates import GCRS, TEME, CartesianRepresentation, SkyCoord, get_body
    from astropy.time import Time
    from astropy.utils import iers
    iers.conf.auto_download = False
    middle = Time('2019-06-17T08:30:10', scale='utc')
    moon = get_body('moon', middle)
    m = moon.cartesian.xyz.to_value(u.km)
    aside = np.cross(m, [0.0, 0.0, 1.0])
    aside *= 7013.0 / np.linalg.norm(aside)
    seen = SkyCoord(CartesianRepresentation(*(m - aside)), frame='icrs')
    apart = seen.separation(SkyCoord(moon.ra, moon.dec)).deg
    check(0.9 < apart < 1.2, f'parallax {apart}')
    image = Image(folder).moved(100, 100)
    k = image.key
    # the axis so that the trigger pixel looks to where the satellite saw the Moon
    w = WCS({c: k[c] for c in ('CTYPE1', 'CTYPE2', 'CRPIX1', 'CRPIX2', 'CD1_1', 'CD1_2', 'CD2_1', 'CD2_2')}, naxis=2)
    w.wcs.crval = [seen.ra.deg, seen.dec.deg]
    for _ in range(5):
        at = SkyCoord(*w.wcs_pix2world([[29, 29]], 1)[0], unit='deg')
        w.wcs.crval = [w.wcs.crval[0] + seen.ra.deg - at.ra.deg, w.wcs.crval[1] + seen.dec.deg - at.dec.deg]
    image = image.but(CRVAL1=float(w.wcs.crval[0] % 360), CRVAL2=float(w.wcs.crval[1]), DATE_OBS='2019-06-17T08:30:00', DATE_END='2019-06-17T08:30:20')
    check(SkyCoord(*image.trigger(), unit='deg').separation(seen).deg < 0.01, f'{image.trigger()}')
    s = Images(folder, started)
    s.send(image.but(BURST_ID='sb26blind'))
    blind = s.records(1)['sb26blind'][0]
    check('moon_geocentric' in quality(blind), f'{quality(blind)}')
    for dt in (-2, -1, 0, 1, 2):
        t = middle + dt * u.s
        position = GCRS(CartesianRepresentation(*(aside * u.km)), obstime=t).transform_to(TEME(obstime=t)).cartesian.xyz.to_value(u.km)
        body = {'time': t.isot + 'Z', 'position_km': [round(float(x), 6) for x in position]}
        s.gateway.send(b'burst-archive.v1.svom.platform', json.dumps(body).encode(), 4, content=2)
    s.settle(1)
    s.send(image.but(BURST_ID='sb26seen'))
    seen_v = s.records(2)['sb26seen'][0]
    check('moon_geocentric' not in quality(seen_v), f'{quality(seen_v)} {s.daemon.log.read_text()[-800:]}')
    px = [float(r.split('Moon lies ')[1].split()[0]) for v in (blind, seen_v) for r in v['reasons'] if 'Moon lies' in r]
    # 0.56 degrees a pixel: about two pixels off without the satellite, less its radius of half a pixel
    check(len(px) == 2 and 1.0 <= px[0] <= 2.0 and px[1] == 0.0, f'{px}, {blind["reasons"]}, {seen_v["reasons"]}')
    check(blind['verdict'] != 'true' and seen_v['verdict'] != 'true', f'{blind["verdict"]} {seen_v["verdict"]}')


if __name__ == '__main__':
    cases = Cases()
    for case in (at_all_edges_of_the_sky_the_verdict_points_to_the_trigger_pixel, small_images_are_judged_as_far_as_they_go,
                 lost_rows_and_blocks_leave_a_verdict_and_a_lost_trigger_an_unclear_one, x_band_revises_vhf_and_what_comes_late_changes_nothing,
                 doubled_images_are_counted_and_other_pixels_raise_an_alarm, before_its_notice_or_an_hour_late_it_is_judged_and_told_how_late,
                 after_its_notice_it_revises_the_notices_event_unless_it_looks_elsewhere,
                 every_odd_image_that_is_taken_says_what_is_odd, turned_bytes_and_no_noise_are_seen_in_simulated_images_of_every_family,
                 the_moon_stands_where_the_satellite_saw_it):
        if len(sys.argv) < 2 or sys.argv[1] in case.__name__:
            cases.run(case)
    cases.finish()
