"""Sub-images of the catalogue's class I: each is a good one, changed in one place. `s` is the Set of make.py. Code "ok":
taken; `quality` is then what the verdict says of it (docs/decisions/0008)."""
import numpy as np
from fits_bytes import primary, table


QUALITY = {'all_zero': ['no_noise'], 'constant': ['no_noise'], 'swapped_bytes': ['bytes_swapped'],
           'swapped_rounded': ['bytes_swapped'], 'infinite_pixel': ['partial_image']}


def images(s):
    def pixel(i, value):
        def change(f):
            pixels = np.frombuffer(f[''].data, '>f4').copy()
            pixels[i] = value
            f[''].data = pixels.tobytes()
        return change

    def integers(f):
        f[''].set('BITPIX', 16)
        f[''].data = bytes(56 * 56 * 2)

    def flat(f):
        f[''].raw('NAXIS2', 'NAXIS2  =                    0')
        f[''].data = b''

    def cube(f):
        h = primary(-32, (56, 56, 1))
        h.cards += f[''].cards[5:]
        h.data = f[''].data
        f.hdus = [h]

    def second(f):
        f.hdus.append(table('MASK', [], np.zeros(0, np.dtype([]))))

    def thousand(f):
        f[''].set('NAXIS1', 1000)
        f[''].set('NAXIS2', 1000)

    def swapped(f):
        f[''].data = np.frombuffer(f[''].data, '>f4').astype('<f4').tobytes()

    def swapped_rounded(f):
        pixels = np.round(np.frombuffer(f[''].data, '>f4') * 8) / 8
        f[''].data = pixels.astype('<f4').tobytes()

    for cls, name, change, code, part, how in [
            ('I1', '57x57', lambda f: None, 'shape', 'has 57 x 57 pixels, 1 to 56', {'n_y': 57, 'n_z': 57}),
            ('I1', '57x1', lambda f: None, 'shape', 'has 57 x 1 pixels', {'n_y': 57, 'n_z': 1}),
            ('I2', '56x0', flat, 'shape', 'has 56 x 0 pixels', {}),
            ('I2', '1x10_9', lambda f: f[''].set('NAXIS2', 10**9), 'truncated', 'declares 224000000000 bytes', {}),
            ('I3', 'integers', integers, 'shape', 'BITPIX 16', {}),
            ('I1', 'three_axes', cube, 'shape', 'NAXIS 3', {}),
            ('F33 I9', 'second_hdu', second, 'shape', '2 HDUs', {}),
            ('I4', 'infinite_pixel', pixel(57, np.inf), 'ok', '', {}),
            ('I4', 'all_infinite', pixel(slice(None), -np.inf), 'range', 'none of the 3136 pixels has data', {}),
            ('I4', 'all_nan', pixel(slice(None), np.nan), 'range', 'none of the 3136 pixels has data', {}),
            ('I6', 'huge_pixel', pixel(0, 1e7), 'range', 'pixel (1, 1) is 1e+07', {}),
            ('I6', 'denormal_pixel', pixel(0, 1e-40), 'ok', '', {}),
            ('I5', 'all_zero', pixel(slice(None), 0.0), 'ok', '', {}),
            ('I5', 'constant', pixel(slice(None), 3.5), 'ok', '', {}),
            ('I15', 'swapped_bytes', swapped, 'ok', '', {}),
            ('I15', 'swapped_rounded', swapped_rounded, 'ok', '', {}),
            ('I7', 'bscale_0', lambda f: f[''].put('BSCALE', 0.0), 'format', 'BSCALE = 0', {}),
            ('I7', 'bscale_2', lambda f: f[''].put('BSCALE', 2.0), 'format', 'BSCALE 2', {}),
            ('I7', 'bzero_1e400', lambda f: f[''].add_raw('BZERO   = 1E400'), 'range', '64-bit number', {}),
            ('I8', 'trigger_outside_sky', lambda f: f[''].set('TRIGY', 200), 'range', 'TRIGY is 200, 0 to 199', {}),
            ('I8', 'trigger_negative', lambda f: f[''].set('TRIGZ', -1), 'range', 'TRIGZ is -1', {}),
            ('I8', 'no_trigger', lambda f: f[''].drop('TRIGZ'), 'missing', 'no TRIGZ', {}),
            ('I8', 'image_leaves_the_sky', lambda f: f[''].set('SKYY0', 145), 'range', 'leaves the sky', {}),
            ('F15', 'alertcnt_long_string', lambda f: f[''].set('ALERTCNT', 'A' * 40), 'format',
             "ALERTCNT is the string 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', an integer expected", {}),
            ('I10', 'no_wcs', lambda f: f[''].drop('CTYPE1'), 'ok', '', {}),
            ('I10', 'no_cd', lambda f: f[''].drop('CD1_1'), 'ok', '', {}),
            ('I10', 'other_projection', lambda f: f[''].set('CTYPE2', 'DEC--SIN'), 'ok', '', {}),
            ('I10', 'singular_wcs', lambda f: f[''].set('CD2_2', 0.0), 'ok', '', {}),
            ('I10', 'declination_91', lambda f: f[''].set('CRVAL2', 91.0), 'ok', '', {}),
            ('I10', 'pixels_of_2_degrees', lambda f: [f[''].set(k, v) for k, v in (('CD1_1', -2.0), ('CD2_2', 2.0))] and None, 'ok', '', {}),
            ('I10', 'axis_outside_the_sky', lambda f: f[''].set('CRPIX1', 900.0), 'ok', '', {}),
            ('I10', 'turned_by_pc', lambda f: f[''].put('PC1_1', 1.0), 'ok', '', {}),
            ('F14', 'burst_id_twice', lambda f: f[''].add_raw("BURST_ID= 'sb26119999'"), 'conflict', 'BURST_ID stands 2 times with other values', {}),
            ('I11', 'burst_id_absent', lambda f: f[''].drop('BURST_ID'), 'missing', 'no BURST_ID', {}),
            ('I11', 'burst_id_empty', lambda f: f[''].set('BURST_ID', ''), 'missing', 'BURST_ID is empty', {}),
            ('I11', 'burst_id_script', lambda f: f[''].set('BURST_ID', '</script>'), 'format', 'letters, digits', {}),
            ('I11', 'burst_id_long', lambda f: f[''].set('BURST_ID', 'b' * 40), 'limit', 'has 40 characters, at most 39', {}),
            ('I11', 'unknown_trigger_type', lambda f: f[''].set('TRIGTYPE', 'XYZ'), 'format', 'CRT or IMT expected', {}),
            ('I11', 'unknown_stream', lambda f: f[''].set('DSTREAM', 'POST'), 'format', 'VHF or XBAND expected', {}),
            ('T9', 'date_end_first', lambda f: f[''].set('DATE-END', '2026-11-18T03:04:05'), 'time', 'not after DATE-OBS', {}),
            ('T9', 'date_no_utc', lambda f: f[''].set('DATE-OBS', '18/11/2026'), 'time', "DATE-OBS (card at byte", {}),
            ('T9', 'date_second_60', lambda f: f[''].set('DATE-OBS', '2026-11-18T03:04:60'), 'time', 'no moment of UTC', {}),
            ('I6', 'energies_inverted', lambda f: f[''].set('E_MAX', 4.0), 'range', 'not above E_MIN', {}),
            ('I6', 'timescale_0', lambda f: f[''].set('TIMESCAL', 0.0), 'range', 'TIMESCAL', {}),
            ('T14', 'other_instrument', lambda f: f[''].set('INSTRUME', 'MXT'), 'format', "INSTRUME is 'MXT', 'ECL' expected", {}),
            ('I14', 'cut_by_one_byte', lambda f: f.bytes()[:-1], 'truncated', 'declares 12544 bytes', {}),
            ('I14', 'cut_by_one_block', lambda f: f.bytes()[:-2880], 'truncated', 'declares 12544 bytes', {}),
            ('I14', 'header_1000x1000', thousand, 'truncated',
             'declares 4000000 bytes', {})]:
        s.wrong(cls, 'sub', name, change, code, part, **how)
        if code == 'ok':
            s.entries[-1]['quality'] = QUALITY.get(name, ['no_wcs'] if cls == 'I10' else [])
