"""What the system tests of sub-images share: simulated images that can be changed and written again, and a burstd that reads them."""
import collections
import os
import subprocess
import sys
import time

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from harness import ROOT, Session, check, program

sys.path.insert(0, str(ROOT / 'tests/bad'))
import fits_bytes  # noqa: E402

ARCHIVE, LIVE = b'burst-archive.v1.svom.eclairs.subimage', b'burst.v1.svom.eclairs.subimage'
STRUCTURE = ('SIMPLE', 'BITPIX', 'NAXIS', 'NAXIS1', 'NAXIS2', 'EXTEND', 'CHECKSUM', 'DATASUM', 'COMMENT', 'BUNIT', 'RADESYS', 'CUNIT1', 'CUNIT2')


def utc(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t))


class Image:
    """A simulated sub-image as keywords and pixels, to be changed and written again. The one of seed 52 is whole, bright, far from the Moon's path and from known sources."""

    def __init__(self, folder, family='true', seed=52, *extra):
        path = f'{folder}/{family}{seed}.fits'
        done = subprocess.run([program('burst-sim'), 'image', '--family', family, '--seed', str(seed), *extra, '--out', path],
                              capture_output=True, text=True, env=dict(os.environ, BURST_DATADIR=os.environ.get('BURST_DATADIR', str(ROOT))))
        check(done.returncode == 0, f'burst-sim: {done.stderr}')
        with fits.open(path) as f:
            self.key = {k: v for k, v in f[0].header.items() if k not in STRUCTURE}
            self.snr = np.array(f[0].data, '<f4')

    def but(self, **key):
        """A copy with other keywords; None drops one. `DATE_OBS` stands for DATE-OBS."""
        other = Image.__new__(Image)
        other.key, other.snr = dict(self.key), self.snr.copy()
        other.key.update({k.replace('DATE_', 'DATE-'): v for k, v in key.items()})
        return other

    def cut(self, y0, y1, z0, z1):
        """Columns y0..y1 and rows z0..z1 of it alone, in its place in the sky."""
        k = self.key
        other = self.but(SKYY0=k['SKYY0'] + y0, SKYZ0=k['SKYZ0'] + z0, CRPIX1=k['CRPIX1'] - y0, CRPIX2=k['CRPIX2'] - z0)
        other.snr = self.snr[z0:z1, y0:y1].copy()
        return other

    def moved(self, y, z):
        """The same scene with its trigger at sky pixel (y, z), cut by the edges of the sky as the on-board software would."""
        k = self.key
        ty, tz = k['TRIGY'] - k['SKYY0'], k['TRIGZ'] - k['SKYZ0']
        y0, y1 = max(0, y - 28), min(200, y + 28)
        z0, z1 = max(0, z - 28), min(200, z + 28)
        other = self.but(SKYY0=y0, SKYZ0=z0, TRIGY=y, TRIGZ=z, CRPIX1=k['CRPIX1'] + k['SKYY0'] - y0, CRPIX2=k['CRPIX2'] + k['SKYZ0'] - z0)
        other.snr = self.snr[tz - (z - z0):tz + (z1 - z), ty - (y - y0):ty + (y1 - y)].copy()
        return other

    def hole(self, rows=slice(None), columns=slice(None)):
        other = self.but()
        other.snr[rows, columns] = np.nan
        return other

    def bytes(self, order='>f4'):
        h = fits_bytes.primary(-32, self.snr.shape[::-1])
        for key, value in self.key.items():
            if value is not None:
                h.put(key, value)
        h.data = self.snr.astype(order).tobytes()
        return fits_bytes.File([h]).bytes()

    def trigger(self, y=0.0, z=0.0):
        """Right ascension and declination of the trigger pixel, or of y, z pixels beside it, by astropy."""
        k = self.key
        w = WCS({c: k[c] for c in ('CTYPE1', 'CTYPE2', 'CRPIX1', 'CRPIX2', 'CRVAL1', 'CRVAL2', 'CD1_1', 'CD1_2', 'CD2_1', 'CD2_2')}, naxis=2)
        return w.wcs_pix2world([[k['TRIGY'] - k['SKYY0'] + 1 + y, k['TRIGZ'] - k['SKYZ0'] + 1 + z]], 1)[0]


class Images(Session):
    """A session to send sub-images and their triggers."""

    def send(self, image, topic=ARCHIVE, flags=4):
        self.gateway.send(topic, image if isinstance(image, bytes) else image.bytes(), flags)
        self.gateway.serve()

    def records(self, n, seconds=120):
        """All verdicts once there are n of them: {id: [records]}."""
        ok = self.wait(lambda c: c['verdicts'] >= n, seconds)
        check(ok, f'{self.daemon.counter("verdicts")} of {n} verdicts; {self.daemon.status()["counters"]}; {self.daemon.log.read_text()[-1500:]}')
        out = collections.defaultdict(list)
        for v in self.daemon.verdicts():
            out[v['id']].append(v)
        return out

    def trigger(self, burst_id, at, position):
        """A trigger notice of ECLAIRs in the words of GCN's schema."""
        self.notice(b'burst.v1.svom.trigger', 0, **{
            '$schema': 'https://gcn.nasa.gov/schema/v7.2.1/gcn/notices/svom/trigger.schema.json', 'instrument': 'ECLAIRs',
            'alert_datetime': utc(at + 30) + 'Z', 'alert_tense': 'current', 'alert_type': 'initial', 'id': [burst_id],
            'trigger_time': utc(at) + 'Z', 'ra': round(float(position[0]), 4), 'dec': round(float(position[1]), 4), 'ra_dec_error': 0.1,
            'image_snr': 12.0, 'image_duration': 20.48, 'image_energy_range': [5, 20], 'trigger_type': 'image', 'slew_status': 'accepted'})
        self.gateway.serve()

    def mask(self, burst_id):
        """The mask in an event's evidence, once that is there."""
        path = f'{self.folder}/{burst_id}.fits'
        check(self.wait(lambda c: self.ctl('show', burst_id, '--fits', path)[0] == 0 and os.path.exists(path)), f'no evidence of {burst_id}')
        with fits.open(path) as f:
            return np.array(f['MASK'].data)


def quality(v):
    return v['evidence'][0]['quality']


def forced(v, reason, words):
    """Unclear whatever the network says, for this reason, with these quality words."""
    got = (v['verdict'], v['reason_code'], v['action'], sorted(set(words) - set(quality(v))))
    check(got == ('unclear', reason, 'review', []), f'{v["id"]}: {got}, {quality(v)}, {v["reasons"]}')
