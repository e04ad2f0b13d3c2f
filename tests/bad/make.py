#!/usr/bin/python3
"""Write good input files of every kind, and bad ones each of which is wrong in one place.

  make.py --out DIR     write the files and DIR/list.json
  make.py --list        print that list without writing anything
  make.py --classes     print which files and tests stand for which class of the catalogue
  make.py --seeds DIR   write the small seeds of the fuzz harnesses (tests/fuzz/corpus)

Each entry of the list: `name` (the file), `topic` (its middle and last words, e.g. fermi.gbm.events), `code` ("ok", or the
name of the refusal), `part` (words its sentence must contain) and `class` (of the bad-input catalogue: F structure of
the file, T event tables, I sub-images). The same seed gives the same bytes."""
import argparse
import gzip
import json
import pathlib
import numpy as np
import classes
from fits_bytes import BOUND, GBM_EVENT, GECAM_EVENT, GOOD, CARD, Hdu, gbm, gecam, grm, primary, subimage, table
from make_images import images

GBM, GECAM_B, GECAM_C, GRM, IMAGE = ('fermi.gbm.events', 'gecam-b.grd.events', 'gecam-c.grd.events', 'svom.grm.events',
                                     'svom.eclairs.subimage')
KINDS = {'gbm': GBM, 'gecam': GECAM_B, 'grm': GRM, 'sub': IMAGE}


class Set:
    def __init__(self, seed):
        self.seed, self.entries, self.files = seed, [], {}

    def fresh(self, kind, **how):
        """A good file, always the same one for the same kind and arguments."""
        maker = {'gbm': gbm, 'gecam': gecam, 'grm': grm, 'sub': subimage}[kind]
        return maker(np.random.default_rng(self.seed), **how)

    def add(self, cls, name, topic, content, code='ok', part=''):
        assert name not in self.files, name
        self.files[name] = content if isinstance(content, bytes) else content.bytes()
        self.entries.append({'name': name + '.fits', 'topic': topic, 'code': code, 'part': part, 'class': cls})

    def odd(self, cls, name, content, quality):
        """A GBM file that is taken, and what its events' quality says then."""
        self.add(cls, name, GBM, content)
        self.entries[-1]['quality'] = quality

    def wrong(self, cls, kind, name, change, code, part, **how):
        """A good file changed by `change`, which may also return other bytes."""
        f = self.fresh(kind, **how)
        changed = change(f)
        self.add(cls, f'{kind}_{name}', KINDS[kind], changed if isinstance(changed, bytes) else f, code, part)


def tiles(kind):
    """An image as fpack leaves it: a table of tiles in a heap, here of 2^20 x 2^20 pixels in 8 bytes. Debian's cfitsio unpacks it."""
    t = table('COMPRESSED_IMAGE', [('COMPRESSED_DATA', '1PB(8)')], np.zeros(1, [('n', '>i4'), ('at', '>i4')]))
    t.data = b'\0\0\0\x08\0\0\0\0' + b'\xdd\x99\xff\xff\xff\xff\xff\xff'
    t.set('PCOUNT', 8)
    for key, value in [('ZIMAGE', True), ('ZCMPTYPE', kind), ('ZBITPIX', 16), ('ZNAXIS', 2), ('ZNAXIS1', 1 << 20), ('ZNAXIS2', 1 << 20),
                       ('ZTILE1', 1 << 20), ('ZTILE2', 1 << 20), ('ZNAME1', 'SCALE'), ('ZVAL1', -1)]:
        t.put(key, value)
    return t


def good(s):
    s.add('good', 'good_gbm', GBM, s.fresh('gbm'))
    s.add('T6', 'good_gbm_empty', GBM, s.fresh('gbm', n=0))
    s.add('T15', 'good_gecam', GECAM_B, s.fresh('gecam'))  # every fourth row has a calibration flag: dropped and counted
    s.add('good', 'good_gecam_c', GECAM_C, s.fresh('gecam', telescope='HEBS', start=90000000.5))
    s.add('good', 'good_grm', GRM, s.fresh('grm'))
    s.add('good', 'good_subimage', IMAGE, s.fresh('sub'))
    s.add('I1', 'good_subimage_edge', IMAGE, s.fresh('sub', n_y=31, n_z=20, y0=169, z0=0, burst_id='sb26111802'))
    hole = s.fresh('sub', burst_id='sb26111803')
    pixels = np.frombuffer(hole[''].data, '>f4').copy().reshape(56, 56)
    pixels[20:36, :] = np.nan
    hole[''].data = pixels.tobytes()
    s.add('I4', 'good_subimage_trigger_on_nan', IMAGE, hole)
    outside = s.fresh('sub', burst_id='sb26111804')
    outside[''].set('TRIGY', 12)
    s.add('I8', 'good_subimage_trigger_beside_it', IMAGE, outside)
    back = s.fresh('gbm')
    rows = back.rows('EVENTS', GBM_EVENT)
    rows[[100, 200]] = rows[[200, 100]]
    back['EVENTS'].data = rows.tobytes()
    s.odd('T8', 'good_gbm_time_steps_back', back, ['steps_back'])
    odd_events(s)
    extra = s.fresh('gbm')
    extra.hdus.append(table('NOTES', [('TEXT', '4A')], np.array([b'abcd'], 'S4').view([('TEXT', 'S4')])))
    s.add('F33', 'good_gbm_further_hdu', GBM, extra)
    no_epoch = s.fresh('gecam')
    for h in no_epoch.hdus:
        for key in ('MJDREFI', 'MJDREFF', 'TIMESYS'):
            h.drop(key)
    s.add('T13', 'good_gecam_no_epoch', GECAM_B, no_epoch)
    script = s.fresh('gbm')
    script[''].put('OBJECT', '</script><b>')
    s.add('F38', 'good_gbm_script_in_text', GBM, script)
    tricks = s.fresh('gbm')
    tricks['EVENTS'].put('INHERIT', True)
    tricks.hdus.append(table('</script>', [('TEXT', '4A')], np.array([b'abcd'], 'S4').view([('TEXT', 'S4')])))
    s.add('F38', 'good_gbm_inherit_and_script_in_name', GBM, tricks)


def odd_events(s):
    """Events nobody would send on purpose, taken all the same; what is odd is told as the list's quality."""
    def change(f, rows):
        f['EVENTS'].data = rows.tobytes()
        f['EVENTS'].set('NAXIS2', len(rows))
        return f
    f = s.fresh('gbm')
    rows = f.rows('EVENTS', GBM_EVENT)
    rows['TIME'] = 5.0
    rows['PHA'] = np.arange(len(rows)) % 128
    s.odd('T11', 'good_gbm_one_time', change(f, rows), ['one_time'])
    f = s.fresh('gbm')
    rows = f.rows('EVENTS', GBM_EVENT)
    s.odd('T16', 'good_gbm_rows_twice', change(f, np.repeat(rows, np.where(np.arange(len(rows)) % 50, 1, 2))), ['repeated_rows'])
    f = s.fresh('gbm')
    rows = np.zeros(12000, GBM_EVENT)  # in one 64 ms bin: 187,500 a second
    rows['TIME'] = 5.0 + np.sort(np.random.default_rng(s.seed).uniform(0, 0.05, len(rows)))
    rows['PHA'] = np.arange(len(rows)) % 128
    s.odd('T12', 'good_gbm_a_hundred_times_the_rate', change(f, rows), [])  # told of the bin, not of the chunk


def structure(s):
    whole = s.fresh('gbm').bytes()
    for cls, name, n, code, part in [('F1', 'empty', 0, 'truncated', 'empty'), ('F2', 'one_card', 80, 'truncated', 'inside the header'),
                                     ('F2', 'less_than_a_block', 2879, 'truncated', 'ends at byte'),
                                     ('F3', 'cut_in_events', len(whole) - 7000, 'truncated', 'declares'),
                                     ('F3', 'cut_by_one_byte', len(whole) - 1, 'truncated', 'GTI: the header declares 16 bytes of data')]:
        s.add(cls, f'gbm_{name}', GBM, whole[:n], code, part)
    for cls, name, content, code, part in [
            ('F37', 'gzip', gzip.compress(whole, mtime=0), 'unsupported', 'compressed with gzip: unpack it first'),
            ('F37', 'bzip2', b'BZh91AY&SY' + whole, 'unsupported', 'bzip2'),
            ('F40', 'png', b'\x89PNG\r\n\x1a\n' + bytes(3000), 'format', 'no FITS'),
            ('F40', 'html', b'<!DOCTYPE html><html></html>', 'format', "'<!DOCTYPE html><'"),
            ('F40', 'random', np.random.default_rng(s.seed).bytes(5760), 'format', 'no FITS'),
            ('F32', 'trailing_byte', whole + b'\0', 'format', '1 bytes after the last HDU'),
            ('F32', 'trailing_block', whole + bytes(2880), 'format', '2880 bytes after the last HDU')]:
        s.add(cls, f'gbm_{name}', GBM, content, code, part)
    for kind in ('RICE_1', 'GZIP_1', 'PLIO_1', 'HCOMPRESS_1'):
        s.wrong('F36', 'gbm', f'compressed_{kind.lower()}', lambda f, kind=kind: f.hdus.append(tiles(kind)), 'unsupported', 'ZIMAGE: compressed images')

    def end_with_text(f): f[''].end = 'END     IS NEAR'.ljust(CARD)
    def no_end(f): f['GTI'].end = ' ' * CARD
    def fill_header(f): f['EBOUNDS'].header_fill = b'\0'
    def fill_data(f): f['EVENTS'].data_fill = b' '
    s.wrong('F6', 'gbm', 'end_with_text', end_with_text, 'format', 'text after END')
    s.wrong('F5', 'gbm', 'no_end', no_end, 'format', 'byte 0x00 in a header')
    s.wrong('F26', 'gbm', 'header_fill_zero', fill_header, 'format', 'blanks expected')
    s.wrong('F27', 'gbm', 'data_fill_blank', fill_data, 'format', 'zero expected')

    def raw(hdu, key, text):
        return lambda f: f[hdu].raw(key, text)

    def more(hdu, text):
        return lambda f: f[hdu].add_raw(text)

    for cls, name, change, code, part in [
            ('F7', 'no_simple', lambda f: f[''].drop('SIMPLE'), 'format', 'no FITS'),
            ('F7', 'simple_false', raw('', 'SIMPLE', 'SIMPLE  =                    F'), 'unsupported', 'SIMPLE = F'),
            ('F8', 'naxis_before_bitpix', lambda f: f['EVENTS'].swap('BITPIX', 'NAXIS'), 'format', 'BITPIX expected as card 2'),
            ('F8', 'pcount_last', lambda f: f['EVENTS'].swap('PCOUNT', 'TFIELDS'), 'format', 'PCOUNT expected as card 6'),
            ('F9', 'bitpix_12', lambda f: f['EVENTS'].set('BITPIX', 12), 'format', 'BITPIX = 12'),
            ('F10', 'naxis_negative', lambda f: f['EVENTS'].set('NAXIS', -1), 'format', 'NAXIS = -1'),
            ('F10', 'naxis_999', lambda f: f[''].set('NAXIS', 999), 'limit', 'at most 4'),
            ('F11', 'naxis1_negative', lambda f: f['EVENTS'].set('NAXIS1', -10), 'format', 'NAXIS1 = -10'),
            ('F11 T6', 'naxis2_2_to_31', lambda f: f['EVENTS'].set('NAXIS2', 2**31 - 1), 'truncated', 'declares 21474836470 bytes'),
            ('F11', 'naxis2_2_to_63', lambda f: f['EVENTS'].set('NAXIS2', 2**63 - 1), 'limit', 'more than 2^63'),
            ('F11', 'naxis2_20_digits', lambda f: f['EVENTS'].set('NAXIS2', 10**19), 'range', '64-bit number'),
            ('F11', 'naxis2_overflows_to_0', lambda f: f['EVENTS'].set('NAXIS2', 2**62), 'limit', 'more than 2^63'),
            ('F12', 'naxis2_missing', lambda f: f['EVENTS'].drop('NAXIS2'), 'format', 'NAXIS2 expected'),
            ('F12', 'naxis3_extra', more('EVENTS', 'NAXIS3  =                    1'), 'format', 'NAXISn cards for NAXIS = 2'),
            ('F13', 'bitpix_twice', more('EVENTS', 'BITPIX  =                    8'), 'format', 'BITPIX comes twice'),
            ('F13', 'extname_twice', more('EVENTS', "EXTNAME = 'OTHER   '"), 'format', 'EXTNAME comes twice'),
            ('F14', 'detnam_twice', more('', "DETNAM  = 'NAI_04  '"), 'conflict', 'DETNAM stands 2 times with other values'),
            ('F15', 'mjdrefi_long_string', raw('', 'MJDREFI', f"MJDREFI = '{'A' * 40}'"), 'format',
             "MJDREFI is the string 'AAAA"),
            ('F15b', 'gcount_groups', more('EVENTS', 'GCOUNT GROUPS    TFIELDS =   3'), 'format', 'no keyword'),
            ('F16', '68_digits', more('', 'SERIAL  = ' + '9' * 68), 'range', '64-bit number'),
            ('F17', 'unquoted', more('', 'OBJECT  = GRB 110721A'), 'format', 'is no value'),
            ('F18', 'open_quote', more('', "OBJECT  = 'GRB"), 'format', 'is no value'),
            ('F19', 'single_quotes_inside', more('', "OBJECT  = 'O'HARA'"), 'format', 'is no value'),
            ('F20', 'continue', more('', "CONTINUE  'more'"), 'unsupported', 'CONTINUE cards are not taken'),
            ('F21', 'hierarch', more('', 'HIERARCH ESO TEL ALT = 5'), 'unsupported', 'HIERARCH cards are not taken'),
            ('F22', 'tab', more('', "OBJECT  = 'a\tb'"), 'format', 'byte 0x09'),
            ('F22', 'zero_byte', more('', "OBJECT  = 'a\0b'"), 'format', 'byte 0x00'),
            ('F22', 'line_feed', more('', "COMMENT two\nlines"), 'format', 'byte 0x0a'),
            ('F23', 'high_byte', more('', "OBJECT  = 'caf\xe9'"), 'format', 'byte 0xe9'),
            ('F24', 'lower_case', more('', "object  = 'x'"), 'format', "'object  ' is no keyword"),
            ('F25', 'no_blank_after_equals', more('', "OBJECT  ='x'"), 'format', 'columns 9-10'),
            ('F28', '5000_cards', lambda f: f[''].cards.extend(['COMMENT'.ljust(CARD)] * 5000), 'limit', 'more than 4096 cards'),
            ('F29', 'nan_keyword', raw('', 'TSTART', 'TSTART  = NaN'), 'format', 'TSTART = NaN is no value'),
            ('F29', '1e400', raw('', 'TSTART', 'TSTART  = 1E400'), 'range', '64-bit number'),
            ('F29', 'hex', raw('', 'MJDREFI', 'MJDREFI = 0xCAC6'), 'format', 'is no value'),
            ('F30', 'logical_for_number', lambda f: f[''].set('TSTART', True), 'format', 'TSTART is the logical T'),
            ('F30', 'number_for_text', lambda f: f[''].set('TELESCOP', 5), 'format', 'TELESCOP is the integer 5'),
            ('F31', 'datasum', lambda f: f['EVENTS'].put('DATASUM', '12345'), 'conflict', 'DATASUM is 12345'),
            ('F31', 'checksum', lambda f: f['EVENTS'].put('CHECKSUM', 'hcHjjc9ghcEghc9g'), 'conflict', 'CHECKSUM does not fit'),
            ('F33', 'events_twice', lambda f: f.hdus.append(f['EVENTS']), 'format', 'two HDUs of that name'),
            ('F34', 'no_events', lambda f: f.hdus.remove(f['EVENTS']), 'missing', 'no HDU EVENTS'),
            ('F34', 'no_gti', lambda f: f.hdus.remove(f['GTI']), 'missing', 'no HDU GTI'),
            ('F34', 'no_ebounds', lambda f: f.hdus.remove(f['EBOUNDS']), 'missing', 'no HDU EBOUNDS'),
            ('F35', 'random_groups', more('', 'GROUPS  =                    T'), 'unsupported', 'random groups'),
            ('F35', 'ascii_table', raw('EBOUNDS', 'XTENSION', "XTENSION= 'TABLE   '"), 'unsupported', 'IMAGE and BINTABLE'),
            ('F35', 'iraf_image', raw('EBOUNDS', 'XTENSION', "XTENSION= 'IUEIMAGE'"), 'unsupported', 'IMAGE and BINTABLE'),
            ('F36', 'compressed_image', more('EVENTS', 'ZIMAGE  =                    T'), 'unsupported', 'compressed images'),
            ('F39', 'heap', lambda f: f['EVENTS'].set('PCOUNT', 16), 'unsupported', 'a heap is not taken'),
            ('F39', 'theap', more('EVENTS', 'THEAP   =                 3000'), 'unsupported', 'heap')]:
        s.wrong(cls, 'gbm', name, change, code, part)

    def too_many(f): f.hdus.extend([Hdu(table('X', [], np.zeros(0, np.dtype([]))).cards) for _ in range(70)])
    s.wrong('F33', 'gbm', '74_hdus', too_many, 'limit', 'more than 64 HDUs')


def edit(kind, name, field, row, value):
    """A change of one cell."""
    dtype = {'gbm': GBM_EVENT, 'gecam': GECAM_EVENT}[kind] if name.startswith('EVENTS') else {'EBOUNDS': BOUND, 'GTI': GOOD}[name]

    def change(f):
        rows = f.rows(name, dtype)
        rows[field][row] = value
        f[name].data = rows.tobytes()
    return change


def events(s):
    for cls, name, change, code, part in [
            ('T1', 'tfields_0', lambda f: f['EVENTS'].set('TFIELDS', 0), 'shape', 'add up to 0 bytes'),
            ('T1', 'tfields_999999999', lambda f: f['EVENTS'].set('TFIELDS', 999999999), 'format', '0 to 999'),
            ('T1', 'tfields_17', lambda f: f['EVENTS'].set('TFIELDS', 17), 'format', 'no TFORM3'),
            ('T2', 'tform_missing', lambda f: f['EVENTS'].drop('TFORM2'), 'format', 'no TFORM2'),
            ('T2', 'tform_unknown', lambda f: f['EVENTS'].set('TFORM2', '1Z'), 'format', "'1Z' is no form"),
            ('T2', 'tform_0d', lambda f: f['EVENTS'].set('TFORM1', '0D'), 'format', "'0D' is no form"),
            ('T2', 'tform_repeat_10_20', lambda f: f['EVENTS'].set('TFORM1', '1' + '0' * 20 + 'D'), 'limit', 'items a cell'),
            ('T2', 'tform_sum', lambda f: f['EVENTS'].set('TFORM2', '1J'), 'shape', 'add up to 12 bytes a row, NAXIS1 is 10'),
            ('T3', 'variable_length', lambda f: f['EVENTS'].set('TFORM1', '1PD(3)'), 'unsupported', 'variable-length'),
            ('T4', 'time_missing', lambda f: f['EVENTS'].set('TTYPE1', 'MET'), 'missing', 'EVENTS: no column TIME'),
            ('T4', 'pha_missing', lambda f: f['EVENTS'].set('TTYPE2', 'PI'), 'missing', 'EVENTS: no column PHA'),
            ('T4', 'time_twice', lambda f: f['EVENTS'].set('TTYPE2', 'TIME'), 'format', 'two columns TIME'),
            ('T4', 'time_of_two', lambda f: f['EVENTS'].set('TFORM1', '2E'), 'format', 'column TIME is 2E, 1D expected'),
            ('T5', 'tzero_string', lambda f: f['EVENTS'].set('TZERO1', 'zero'), 'format', 'TZERO1 is the string'),
            ('T5', 'tzero_huge', lambda f: f['EVENTS'].set('TZERO1', 1e30), 'format', 'TZERO 1e+30'),
            ('T5', 'time_scaled', lambda f: f['EVENTS'].put('TSCAL1', 2.0), 'format', 'TSCAL 2'),
            ('T5', 'pha_scaled', lambda f: f['EVENTS'].put('TZERO2', 32768), 'format', 'column PHA has TSCAL 1 and TZERO 32768'),
            ('T5', 'tnull_text', lambda f: f['EVENTS'].put('TNULL2', 'none'), 'format', 'TNULL2 is the string'),
            ('T5', 'tscal_0', lambda f: f['EVENTS'].put('TSCAL2', 0), 'format', 'TSCAL2 = 0'),
            ('T7', 'time_nan', edit('gbm', 'EVENTS', 'TIME', 17, np.nan), 'time', 'EVENTS: row 18: TIME is'),
            ('T7', 'time_inf', edit('gbm', 'EVENTS', 'TIME', 299, np.inf), 'time', 'EVENTS: row 300: TIME is'),
            ('T8', 'time_before_epoch', edit('gbm', 'EVENTS', 'TIME', 0, -4e8 + 1), 'time', "before the mission's epoch"),
            ('T8', 'time_10_years_ahead', edit('gbm', 'EVENTS', 'TIME', 5, 3.2e8), 'time', 'over 1 s outside'),
            ('T9', 'time_outside_header', edit('gbm', 'EVENTS', 'TIME', 0, -1.5), 'time', "over 1 s outside the header's TSTART"),
            ('P7', 'met_past_2_to_32', lambda f: f[''].set('TSTART', 4294967301.0), 'range', 'less than 4e9 expected'),
            ('T9', 'tstop_before_tstart', lambda f: f[''].set('TSTOP', 1000.0), 'time', 'is no span of mission time'),
            ('T10', 'channel_negative', edit('gbm', 'EVENTS', 'PHA', 9, -1), 'range', 'EVENTS: row 10: PHA is -1, 0 to 127'),
            ('T10', 'channel_128', edit('gbm', 'EVENTS', 'PHA', 9, 128), 'range', 'PHA is 128'),
            ('T10', 'unknown_detector', lambda f: f[''].set('DETNAM', 'NAI_12'), 'unsupported', "DETNAM 'NAI_12'"),
            ('T14', 'binned_spectra', lambda f: f[''].put('DATATYPE', 'CSPEC'), 'unsupported', "DATATYPE is 'CSPEC': only TTE holds events"),
            ('T10', 'no_detector', lambda f: f[''].drop('DETNAM'), 'missing', 'no DETNAM'),
            ('T10', 'other_detector', lambda f: f['EVENTS'].set('DETNAM', 'NAI_04'), 'format', "'NAI_03' expected"),
            ('T13', 'epoch_one_day_off', lambda f: f[''].set('MJDREFI', 51911), 'time', 'is 86400 s off Fermi'),
            ('T13', 'epoch_without_tt_utc', lambda f: f[''].set('MJDREFF', 0.0), 'time', 'is -64.184 s off'),
            ('T13', 'epoch_of_events_off', lambda f: f['EVENTS'].set('MJDREFI', 58484), 'time', 'EVENTS: the epoch'),
            ('T13', 'timesys_utc', lambda f: f[''].set('TIMESYS', 'UTC'), 'time', "TIMESYS is 'UTC', TT expected"),
            ('T14', 'other_mission', lambda f: f[''].set('TELESCOP', 'SWIFT'), 'format', "TELESCOP is 'SWIFT', 'GLAST' expected"),
            ('T14', 'other_instrument', lambda f: f[''].set('INSTRUME', 'LAT'), 'format', "INSTRUME is 'LAT'"),
            ('T14', 'no_mission', lambda f: f[''].drop('TELESCOP'), 'missing', 'no TELESCOP'),
            ('T17', 'gti_inverted', edit('gbm', 'GTI', 'STOP', 0, -1.0), 'time', 'is before START'),
            ('T17', 'gti_outside_header', edit('gbm', 'GTI', 'STOP', 0, 500.0), 'time', 'GTI: 332916465.76'),
            ('T17', 'gti_nan', edit('gbm', 'GTI', 'START', 0, np.nan), 'time', 'GTI: row 1: START is'),
            ('T10', 'ebounds_not_rising', edit('gbm', 'EBOUNDS', 'E_MIN', 64, 5.0), 'range', 'EBOUNDS: row 65'),
            ('T10', 'ebounds_inverted', edit('gbm', 'EBOUNDS', 'E_MAX', 64, 5.0), 'range', 'EBOUNDS: row 65: E_MIN'),
            ('T10', 'ebounds_nan', edit('gbm', 'EBOUNDS', 'E_MIN', 3, np.nan), 'range', 'EBOUNDS: row 4'),
            ('T10', 'ebounds_channel_gap', edit('gbm', 'EBOUNDS', 'CHANNEL', 70, 72), 'range', 'CHANNEL is 72, 70 expected')]:
        s.wrong(cls, 'gbm', name, change, code, part)

    def overlap(f):
        rows = np.array([(0.0, 6.0), (5.0, 10.0)], GOOD)
        f['GTI'].data = rows.tobytes()
        f['GTI'].set('NAXIS2', 2)
    s.wrong('T17', 'gbm', 'gti_overlap', overlap, 'time', 'GTI: row 2: START')

    def time_as_float(f):
        old = f.rows('EVENTS', GBM_EVENT)
        new = np.zeros(len(old), np.dtype([('TIME', '>f4'), ('PHA', '>i2')]))
        new['TIME'], new['PHA'] = old['TIME'], old['PHA']
        f['EVENTS'].data = new.tobytes()
        f['EVENTS'].set('NAXIS1', 6)
        f['EVENTS'].set('TFORM1', '1E')
    s.wrong('T4', 'gbm', 'time_single_precision', time_as_float, 'format', 'EVENTS: column TIME is 1E, 1D expected')

    def one_bound(f):
        f['EBOUNDS'].data = f['EBOUNDS'].data[:10]
        f['EBOUNDS'].set('NAXIS2', 1)
    s.wrong('T10', 'gbm', 'ebounds_one_row', one_bound, 'limit', 'EBOUNDS: 1 rows, 2 to 4096')

    def no_good(f):
        f['GTI'].data = b''
        f['GTI'].set('NAXIS2', 0)
    s.wrong('T17', 'gbm', 'gti_empty', no_good, 'missing', 'GTI: no good time in 0 rows')

    def many_good(f):  # every one of them would cost a step through the rings
        rows = np.zeros(4321, GOOD)
        rows['START'] = np.arange(4321) * 0.002
        rows['STOP'] = rows['START'] + 0.001
        f['GTI'].data = rows.tobytes()
        f['GTI'].set('NAXIS2', 4321)
    s.wrong('T17', 'gbm', 'gti_without_measure', many_good, 'limit', 'GTI: 4321 rows')
    s.add('T14', 'gbm_on_gecam_topic', GECAM_B, s.fresh('gbm'), 'format', "TELESCOP is 'GLAST', 'GECAM-B' expected")
    s.add('T14', 'gecam_b_on_c_topic', GECAM_C, s.fresh('gecam'), 'format', "TELESCOP is 'GECAM-B', 'HEBS' expected")
    s.add('T14', 'subimage_on_gbm_topic', GBM, s.fresh('sub'), 'format', "TELESCOP is 'SVOM'")
    gecam_events(s)


def gecam_events(s):
    def other_ladder(f):
        rows = f.rows('EBOUNDS', BOUND)
        rows['E_MIN'] *= 2
        rows['E_MAX'] *= 2
        f['EBOUNDS'].data = rows.tobytes()

    def rename(f):
        f['EVENTS25'].set('EXTNAME', 'EVENTS26')

    def only_three(f):
        f.hdus = f.hdus[:3]

    def all_columns_but_flag(f):
        f['EVENTS01'].set('TTYPE7', 'FLAGS')
    for cls, name, change, code, part in [
            ('T10', 'ebounds_break', edit('gecam', 'EBOUNDS', 'E_MIN', 100, 20.0), 'range', 'the first 100 are contiguous'),
            ('T10', 'ebounds_other_ladder', other_ladder, 'range', '2.00 to 10053.5 keV expected'),
            ('T10', 'pi_negative', edit('gecam', 'EVENTS01', 'PI', 3, -5), 'range', 'EVENTS01: row 4: PI is -5'),
            ('T10', 'pi_past_the_rows', edit('gecam', 'EVENTS01', 'PI', 3, 498), 'range', 'PI is 498, 0 to 497'),
            ('T15', 'gain_2', edit('gecam', 'EVENTS01', 'GAIN_TYPE', 0, 2), 'range', 'GAIN_TYPE is 2'),
            ('T7', 'time_nan', edit('gecam', 'EVENTS25', 'TIME', 7, np.nan), 'time', 'EVENTS25: row 8: TIME'),
            ('T4', 'no_flag', all_columns_but_flag, 'missing', 'EVENTS01: no column FLAG'),
            ('T10', 'detector_26', rename, 'limit', 'EVENTS26: GECAM-B has detectors EVENTS01 to EVENTS25'),
            ('F34', 'no_detectors', only_three, 'missing', 'no EVENTSnn'),
            ('F34', 'no_ebounds', lambda f: f.hdus.remove(f['EBOUNDS']), 'missing', 'no HDU EBOUNDS'),
            ('T13', 'epoch_of_c', lambda f: f[''].set('MJDREFI', 59215), 'time', 'off GECAM-B'),
            ('F33', 'detector_twice', lambda f: f.hdus.append(f['EVENTS01']), 'format', 'two HDUs of that name')]:
        s.wrong(cls, 'gecam', name, change, code, part)


def make(seed):
    s = Set(seed)
    good(s)
    structure(s)
    events(s)
    images(s)
    return s


def killers(small):
    """What ends or misleads Debian's cfitsio 4.2.0: integers read from a long string, from 68 digits and from unquoted junk (buffer
    overflow), a header larger than its file (reads past it), cards that two parsers read differently, tiles that lie about their size."""
    out = {}
    for name, text in [('long_string', f"ALERTID = '{'A' * 40}'"), ('68_digits', 'ALERTID = ' + '9' * 68), ('junk', 'ALERTID = ' + 'x' * 60),
                       ('gcount_groups', 'GCOUNT GROUPS    TFIELDS =   3')]:
        f = small.copy()
        f['EVENTS'].add_raw(text)
        out[f'cfitsio_{name}'] = f.bytes()
    out['cfitsio_cut'] = primary(-32, (1000, 1000)).bytes() + bytes(2880)
    for kind in ('RICE_1', 'GZIP_1', 'PLIO_1', 'HCOMPRESS_1'):
        f = small.copy()
        f.hdus = [f.hdus[0], tiles(kind)]
        out[f'cfitsio_{kind.lower()}'] = f.bytes()
    return out


def seeds(folder):
    """As small as the formats allow: a fuzzer's time goes into bytes."""
    rng = np.random.default_rng(1)
    small = gbm(rng, n=4)
    small['EBOUNDS'].data = small['EBOUNDS'].data[:40]
    small['EBOUNDS'].set('NAXIS2', 4)
    events = small.rows('EVENTS', GBM_EVENT)
    events['PHA'] %= 4
    small['EVENTS'].data = events.tobytes()
    many = table('FORMS', [('D', '1D'), ('E', '2E'), ('I', '1I'), ('J', '1J'), ('K', '1K'), ('B', '3B'), ('A', '5A'), ('L', '1L'),
                           ('X', '12X')], np.zeros(2, np.dtype([('b', 'V41')])))
    for text in ('TZERO3  =                32768', 'TNULL4  =                   -1', 'TSCAL2  =                  0.5'):
        many.add_raw(text)
    image = primary(16, (3, 2))
    image.add_raw('BLANK   =                   -1')
    image.data = bytes(12)
    sub = subimage(rng, n_y=3, n_z=2)
    more = killers(small)
    grm_file, gecam_file = grm(rng, n=3), gecam(rng, n=3)
    gecam_file.hdus = gecam_file.hdus[:5]
    for kind, files in {'fits_gate': {'forms': primary().bytes() + many.bytes(), 'image': image.bytes(), 'gbm': small.bytes(), **more},
                        'ingest_events': {'gbm': small.bytes(), 'gecam': gecam_file.bytes(), 'grm': grm_file.bytes()},
                        'ingest_subimage': {'3x2': sub.bytes()}}.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / kind / f'{name}.fits').write_bytes(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=pathlib.Path, help='folder to write to')
    parser.add_argument('--list', action='store_true', help='print the list')
    parser.add_argument('--classes', action='store_true', help='print the classes and their cases')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--seeds', type=pathlib.Path, help='folder of the fuzz corpora')
    a = parser.parse_args()
    if a.seeds:
        return seeds(a.seeds)
    s = make(a.seed)
    if a.classes:
        return print(classes.text(s.entries))
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
        for name, content in s.files.items():
            (a.out / f'{name}.fits').write_bytes(content)
        (a.out / 'list.json').write_text(json.dumps(s.entries, indent=1))
    if a.list or not a.out:
        print(json.dumps(s.entries, indent=1))


if __name__ == '__main__':
    main()
