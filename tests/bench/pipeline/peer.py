"""The pipeline a Python shop would write: pyzmq, astropy, numpy, ONNX Runtime. Same messages in, a verdict out; no log, no history,
no evidence. It is the peer of tests/bench/pipeline/bench.py, not part of burstd."""
import io
import json
import struct
import sys
import time

import numpy as np
import onnxruntime
import zmq
from astropy.io import fits
from astropy.wcs import WCS

BANDS = [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (4, 5)]
EDGES = np.array([25, 50, 100, 300, 500, 900.])
BIN_S, WINDOW, STRIDE = 0.064, 1875, 16


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # burstd's networks use one thread too
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])


class Images:
    def __init__(self, model, catalogue):
        self.net = session(model)
        rows = [x.split(',') for x in open(catalogue) if x[:1] not in '#n\n']
        self.sources = np.array([[float(r[1]), float(r[2])] for r in rows])

    def verdict(self, body):
        with fits.open(io.BytesIO(body)) as f:
            h, snr = f[0].header, f[0].data.astype('f4')
        dy, dz = 28 - (h['TRIGY'] - h['SKYY0']), 28 - (h['TRIGZ'] - h['SKYZ0'])
        image, mask = np.zeros((56, 56), 'f4'), np.zeros((56, 56), 'f4')
        x, y = WCS(h).wcs_world2pix(self.sources, 0).T
        for z in range(snr.shape[0]):
            for k in range(snr.shape[1]):
                if 0 <= z + dz < 56 and 0 <= k + dy < 56 and np.isfinite(snr[z, k]):
                    near = np.hypot(x - k, y - z).min() <= 1
                    image[z + dz, k + dy], mask[z + dz, k + dy] = snr[z, k], 2 if near else 1
        mask[28, 28] = 3
        sample = np.stack([np.clip(image, -10, 30) / 5, mask / 3])[None]
        logit = float(self.net.run(None, {'image': sample})[0].ravel()[0])
        return {'id': h['BURST_ID'], 'p_true': 1 / (1 + np.exp(-logit))}


class Curves:
    """Rings of GECAM-B: counts [25][5][bins] from the first bin on."""
    def __init__(self, model):
        self.net = session(model)
        self.first, self.counts, self.done, self.n_window = None, None, None, 0

    def take(self, body):
        with fits.open(io.BytesIO(body)) as f:
            bounds = f['EBOUNDS'].data
            atom = np.digitize(np.sqrt(bounds['E_MIN'].astype('f8') * bounds['E_MAX']), EDGES) - 1
            stop = float(f['GTI'].data['STOP'].max())
            for hdu in f[3:]:
                d, events = int(hdu.name[6:]) - 1, hdu.data
                keep = (events['FLAG'] < 2) & (events['EVT_TYPE'] == 1)
                k = np.floor(events['TIME'][keep] / BIN_S).astype('i8')
                if self.first is None:
                    self.first = int(k.min()) // STRIDE * STRIDE
                    self.counts = np.zeros((25, 5, 1 << 15), 'u2')
                    self.done = self.first + 480
                a = atom[events['PI'][keep]]
                inside = (a >= 0) & (a < 5)
                np.add.at(self.counts[d], (a[inside], k[inside] - self.first), 1)
        scores = []
        while (self.done + STRIDE) * BIN_S <= stop - 2:
            self.done += STRIDE
            scores.append(self.score(self.done - self.first))
        return scores

    def score(self, end):
        begin = max(0, end - WINDOW)
        atoms = self.counts[:, :, begin:end].astype('f4')
        x = np.zeros((25, 9, WINDOW), 'f4')
        for b, (lo, hi) in enumerate(BANDS):
            band = atoms[:, lo:hi].sum(1)
            x[:, b, WINDOW - (end - begin):] = (band - band.mean(1, keepdims=True)) / np.maximum(band.std(1, keepdims=True), 1e-6)
        z = self.net.run(None, {'light_curve': x})[0]
        self.n_window += 25
        return float(np.sort(z[:, 1] - z[:, 0])[-3:].mean())


def main():
    live, out, images, curves, catalogue = sys.argv[1:]
    context = zmq.Context()
    sub, pub = context.socket(zmq.SUB), context.socket(zmq.PUB)
    sub.rcvhwm = 0
    sub.connect(live)
    sub.subscribe(b'burst')
    pub.bind(out)
    image, curve = Images(images, catalogue), Curves(curves)
    while True:
        topic, header, body = sub.recv_multipart()[:3]
        if topic.endswith(b'.heartbeat'):
            continue
        begun = time.time()
        if topic.endswith(b'.subimage'):
            answer = image.verdict(body)
        else:
            answer = {'scores': curve.take(body), 'detector_windows': curve.n_window}
        answer['seconds'] = time.time() - begun
        pub.send_multipart([b'verdict', struct.pack('>d', time.time()), json.dumps(answer).encode()])


main()
