"""FITS files put together byte by byte, so that they can be wrong in exactly one place. No FITS library has a hand in it."""
import copy
import numpy as np

BLOCK, CARD = 2880, 80


def value_text(value):
    if isinstance(value, bool):
        return f'{"T" if value else "F":>20}'
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted:<8}'"
    if isinstance(value, int):
        return f'{value:>20}'
    text = repr(float(value)).upper()
    return f'{text if "." in text or "E" in text else text + ".0":>20}'


def card(key, value, comment=''):
    return f'{key:<8}= {value_text(value):<20}{" / " + comment if comment else ""}'[:CARD].ljust(CARD)


class Hdu:
    """Cards as 80-character texts and the bytes of the data unit; both may be changed freely before bytes()."""

    def __init__(self, cards=(), data=b''):
        self.cards, self.data = list(cards), data
        self.end, self.header_fill, self.data_fill = 'END'.ljust(CARD), b' ', b'\0'

    def put(self, key, value, comment=''):
        self.cards.append(card(key, value, comment))

    def index(self, key):
        return next(i for i, c in enumerate(self.cards) if c[:8].rstrip() == key)

    def set(self, key, value):
        self.cards[self.index(key)] = card(key, value)

    def raw(self, key, text):
        """Put this text (80 characters at most) in place of the keyword's card."""
        self.cards[self.index(key)] = text.ljust(CARD)

    def add_raw(self, text):
        self.cards.append(text.ljust(CARD))

    def drop(self, key):
        del self.cards[self.index(key)]

    def swap(self, key, other):
        i, j = self.index(key), self.index(other)
        self.cards[i], self.cards[j] = self.cards[j], self.cards[i]

    def bytes(self):
        header = (''.join(self.cards) + self.end).encode('latin-1')
        header += self.header_fill * (-len(header) % BLOCK)
        return header + self.data + self.data_fill * (-len(self.data) % BLOCK)


def primary(bitpix=8, axes=()):
    h = Hdu()
    h.put('SIMPLE', True)
    h.put('BITPIX', bitpix)
    h.put('NAXIS', len(axes))
    for i, n in enumerate(axes):
        h.put(f'NAXIS{i + 1}', n)
    return h


def table(name, columns, rows):
    """columns: [(name, form)]; rows: a structured numpy array, big-endian, of the same columns."""
    h = Hdu(data=rows.tobytes())
    h.put('XTENSION', 'BINTABLE')
    h.put('BITPIX', 8)
    h.put('NAXIS', 2)
    h.put('NAXIS1', rows.dtype.itemsize)
    h.put('NAXIS2', len(rows))
    h.put('PCOUNT', 0)
    h.put('GCOUNT', 1)
    h.put('TFIELDS', len(columns))
    for i, (column, form) in enumerate(columns):
        h.put(f'TTYPE{i + 1}', column)
        h.put(f'TFORM{i + 1}', form)
    h.put('EXTNAME', name)
    return h


class File:
    """HDUs in order; by name through [] ('' is the primary)."""

    def __init__(self, hdus):
        self.hdus = hdus
        self.tail = b''

    def __getitem__(self, name):
        if not name:
            return self.hdus[0]
        return next(h for h in self.hdus if any(c.startswith('EXTNAME') and c[11:].startswith(name) for c in h.cards))

    def at(self, name):
        """Byte offset of that HDU."""
        wanted = self[name]
        return sum(len(h.bytes()) for h in self.hdus[:next(i for i, h in enumerate(self.hdus) if h is wanted)])

    def rows(self, name, dtype):
        return np.frombuffer(self[name].data, dtype).copy()

    def bytes(self):
        return b''.join(h.bytes() for h in self.hdus) + self.tail

    def copy(self):
        return copy.deepcopy(self)


# ---- good files of each kind ----

GBM_EVENT = np.dtype([('TIME', '>f8'), ('PHA', '>i2')])
GECAM_EVENT = np.dtype([('TIME', '>f8'), ('PI', '>i2'), ('GAIN_TYPE', 'u1'), ('DEAD_TIME', '>f4'), ('EVT_TYPE', 'u1'),
                        ('EVT_PAIR', 'u1'), ('FLAG', 'u1')])
BOUND = np.dtype([('CHANNEL', '>i2'), ('E_MIN', '>f4'), ('E_MAX', '>f4')])
GOOD = np.dtype([('START', '>f8'), ('STOP', '>f8')])
GECAM_COLUMNS = [('TIME', '1D'), ('PI', '1I'), ('GAIN_TYPE', '1B'), ('DEAD_TIME', '1E'), ('EVT_TYPE', '1B'), ('EVT_PAIR', '1B'),
                 ('FLAG', '1B')]


def common(h, telescope, instrument, mjd_i, mjd_f, start, stop):
    h.put('TELESCOP', telescope)
    h.put('INSTRUME', instrument)
    h.put('TIMESYS', 'TT')
    h.put('MJDREFI', mjd_i)
    h.put('MJDREFF', mjd_f)
    h.put('TSTART', start)
    h.put('TSTOP', stop)


def bounds(edges, extra=()):
    n = len(edges) - 1
    rows = np.zeros(n + len(extra), BOUND)
    rows['CHANNEL'] = np.arange(len(rows))
    rows['E_MIN'][:n], rows['E_MAX'][:n] = edges[:-1], edges[1:]
    for i, (low, high) in enumerate(extra):
        rows[n + i] = (n + i, low, high)
    return table('EBOUNDS', [('CHANNEL', '1I'), ('E_MIN', '1E'), ('E_MAX', '1E')], rows)


def gbm(rng, n=300, zero=332916465.760476, length=10.0):
    """A Fermi/GBM TTE file of NAI_03."""
    events = np.zeros(n, GBM_EVENT)
    events['TIME'] = np.sort(rng.uniform(0, length, n)) if n else 0
    events['PHA'] = rng.integers(0, 128, n)
    good = np.array([(0.0, length)], GOOD)
    head = primary()
    ebounds = bounds(np.geomspace(4.5, 2000, 129).astype('f4'))
    rows = table('EVENTS', [('TIME', '1D'), ('PHA', '1I')], events)
    rows.put('TZERO1', zero)
    gti = table('GTI', [('START', '1D'), ('STOP', '1D')], good)
    gti.put('TZERO1', zero)
    gti.put('TZERO2', zero)
    for h in (head, ebounds, rows, gti):
        common(h, 'GLAST', 'GBM', 51910, 7.428703703703703e-4, zero, zero + length)
        h.put('DETNAM', 'NAI_03')
    return File([head, ebounds, rows, gti])


def gecam_like(rng, telescope, instrument, mjd_i, ebounds, n_pi, detectors, start, n, length):
    head = primary()
    gti = table('GTI', [('START', '1D'), ('STOP', '1D')], np.array([(start, start + length)], GOOD))
    hdus = [head, ebounds, gti]
    for d in range(1, max(detectors) + 1):
        events = np.zeros(n, GECAM_EVENT)
        events['TIME'] = start + np.sort(rng.uniform(0, length, n))
        events['PI'] = rng.integers(0, n_pi, n)
        events['GAIN_TYPE'] = rng.integers(0, 2, n)
        events['DEAD_TIME'] = 4
        events['EVT_TYPE'] = rng.choice([1, 1, 1, 2, 3], n)
        events['FLAG'] = rng.choice([0, 1, 1, 2, 11], n)
        hdus.append(table(f'EVENTS{d:02d}', GECAM_COLUMNS, events) if d in detectors else
                    table(f'EVENTS{d:02d}', [], np.zeros(0, np.dtype([]))))
    for h in hdus:
        common(h, telescope, instrument, mjd_i, 69.184 / 86400, start, start + length)
    return File(hdus)


def gecam(rng, telescope='GECAM-B', n=120, start=131903046.67, length=10.0):
    """A GECAM event file of EVENTS01, 02 and 25 (12 for HEBS), placeholders between."""
    last = 12 if telescope == 'HEBS' else 25
    edges = np.geomspace(2.0, 10053.5, 449).astype('f4')
    edges[0], edges[-1] = 2.0, 10053.5
    ebounds = bounds(edges, [(8000.0 + i, 20000.0 if i % 2 else 0.0) for i in range(2 * last)])
    return gecam_like(rng, telescope, 'GRD', 59215 if telescope == 'HEBS' else 58484, ebounds, 448, {1, 2, last}, start, n, length)


def grm(rng, n=120, start=260000000.25, length=10.0):
    """An SVOM/GRM event file of three detectors."""
    ebounds = bounds(np.geomspace(15.0, 5000.0, 257).astype('f4'), [(5000.0, 6000.0)] * 3)
    return gecam_like(rng, 'SVOM', 'GRM', 57754, ebounds, 256, {1, 2, 3}, start, n, length)


def subimage(rng, n_y=56, n_z=56, y0=70, z0=60, burst_id='sb26111801'):
    """An ECLAIRs sub-image with a source of 12 sigma at its trigger pixel, the middle of a full frame."""
    snr = rng.normal(0, 1, (n_z, n_y)).astype('>f4')
    y, z = n_y // 2, n_z // 2
    snr[z, y] = 12
    h = primary(-32, (n_y, n_z))
    h.data = snr.tobytes()
    for key, value in [('TELESCOP', 'SVOM'), ('INSTRUME', 'ECL'), ('BURST_ID', burst_id), ('ALERTCNT', 0),
                       ('DATE-OBS', '2026-11-18T03:04:05.250'), ('DATE-END', '2026-11-18T03:04:25.730'), ('E_MIN', 5.0),
                       ('E_MAX', 20.0), ('TIMESCAL', 20.48), ('TRIGTYPE', 'IMT'), ('SNR', 12.0), ('TRIGY', y0 + y),
                       ('TRIGZ', z0 + z), ('SKYY0', y0), ('SKYZ0', z0), ('SKYN', 200), ('SLEWSTAT', 'accepted'), ('DSTREAM', 'VHF'),
                       ('CTYPE1', 'RA---TAN'), ('CTYPE2', 'DEC--TAN'), ('CRPIX1', 100.5 - y0), ('CRPIX2', 100.5 - z0),
                       ('CRVAL1', 83.6331), ('CRVAL2', 22.0145), ('CD1_1', -0.5463), ('CD1_2', 0.0), ('CD2_1', 0.0),
                       ('CD2_2', 0.5463)]:
        h.put(key, value)
    return File([h])
