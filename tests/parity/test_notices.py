#!/usr/bin/python3
"""Every public notice in ../shared/data through our reader, and each field against what Python reads in the same file with
its own XML and JSON readers and astropy's times; the digests beside the notices must say the same. With --table: how many of
each kind were read, folder by folder."""
import collections
import csv
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ET
from astropy.time import Time

from report import BUILD, ROOT, case, exit_status

DATA = ROOT.parent / 'shared/data/gcn-notices'
warnings.filterwarnings('ignore')  # of astropy: its leap second table is as old as the system's
GBM_CLASS = {1: 'UNRELIABLE_LOCATION', 2: 'LOCAL_PARTICLES', 3: 'BELOW_HORIZON', 4: 'GRB', 5: 'GENERIC_SGR',
             6: 'GENERIC_TRANSIENT', 7: 'DISTANT_PARTICLES', 8: 'SOLAR_FLARE', 9: 'CYG_X1', 10: 'SGR_1806_20',
             11: 'GROJ_0422_32', 12: 'UNDEFINED', 19: 'TGF'}
NATURE = {'GRB': 'GRB', 'SFLARE': 'SolarFlare', 'SOLAR_FLARE': 'SolarFlare', 'TGF': 'TGF', 'GENERIC_SGR': 'SGR',
          'SGR_1806_20': 'SGR', 'CYG_X1': 'KnownSource', 'GROJ_0422_32': 'KnownSource', 'LOCAL_PARTICLES': 'Particle',
          'DISTANT_PARTICLES': 'Particle', 'GENERIC_TRANSIENT': 'Other'}
SVOM_KIND = {'201': 'trigger', '202': 'trigger', '203': 'catalogue_source', '204': 'slew', '205': 'slew', '209': 'follow_up',
             '210': 'follow_up', '211': 'follow_up', '219': 'retraction'}
GBM_KIND = {'110': ('trigger', 'FERMI_GBM_ALERT'), '111': ('update', 'FERMI_GBM_FLT_POS'),
            '112': ('update', 'FERMI_GBM_GND_POS'), '115': ('update', 'FERMI_GBM_FIN_POS')}
INSTRUMENT = {'GRD': 1, 'ECLAIRs': 3, 'GRM': 4, 'GBM': 5}  # the daemon's sources of data; everything else is 6


def dump(lines):
    done = subprocess.run([BUILD / 'parity/notice_dump'], input=''.join(f'{x}\n' for x in lines).encode(), timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert not done.stderr, done.stderr[:200]
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- times ----

def moment_ns(t):
    """TT ns since 1970-01-01 TT of an astropy time, from its two doubles."""
    t = t.tt
    return round((t.jd1 - 2440587.5) * 86400) * 10**9 + round(t.jd2 * 86400e9) if (t.jd1 % 1) == 0.5 else \
        round((t.jd1 - 2440588) * 86400) * 10**9 + round((t.jd2 + 0.5) * 86400e9)


def utc_ns(text):
    return moment_ns(Time(re.sub(r'(Z|\+00:00)$', '', text.strip()), scale='utc', format='isot'))


def digit(text):
    found = re.search(r':\d\d\.(\d+)', text)
    return 10.0 ** -len(found.group(1)) if found else 1.0


# ---- a VOEvent, in the words of notice_dump ----

def local(tag):
    return tag.split('}')[-1]


class Event:
    """What ElementTree, or the JSON of the same, says."""

    def __init__(self, path):
        self.params, self.cited = collections.OrderedDict(), []
        if path.suffix == '.json':
            self.from_json(json.loads(path.read_text()))
        else:
            self.from_xml(ET.parse(path).getroot())

    def from_xml(self, root):
        self.ivorn, self.role = root.get('ivorn'), root.get('role')
        one = {local(e.tag): (e.text or '').strip() for e in root.iter()}
        self.time, self.date = one['ISOTime'], one['Date']
        self.place = [one.get(k) for k in ('C1', 'C2', 'Error2Radius')]
        for e in root.find('What').iter():
            if local(e.tag) == 'Param':
                self.params.setdefault(e.get('name'), e.get('value').strip())
        inference = root.find('.//Inference')
        self.probability = inference.get('probability') if inference is not None else None
        citations = root.find('Citations')
        self.text = ''
        if citations is not None:
            self.text = (citations.findtext('Description') or '').strip()
            self.cited = [[e.get('cite'), e.text.strip()] for e in citations.findall('EventIVORN')]

    def from_json(self, root):
        self.ivorn, self.role, self.date = root['ivorn'], root['role'], root['Who']['Date']
        coords = root['WhereWhen']['ObsDataLocation']['ObservationLocation']['AstroCoords']
        self.time, place = coords['Time']['TimeInstant']['ISOTime'], coords['Position2D']
        self.place = [place['Value2']['C1'], place['Value2']['C2'], place['Error2Radius']]
        self.params.update((p['name'], p['value'].strip()) for p in root['What']['Param'])
        self.probability, self.text = root['Why']['Inference']['probability'], ''


def put(want, key, value, absent=('',)):
    """A number, unless it is one of the ways this field has of saying nothing."""
    if value is not None and value not in absent and float(value) not in [float(a) for a in absent if a]:
        want[key] = float(value)


def common(e, mission, instrument, trigger, event_id):
    want = {'code': 'ok', 'mission_name': mission, 'instrument_name': instrument, 'instrument': INSTRUMENT.get(instrument, 6),
            'trigger_name': trigger, 'id': event_id, 'ivorn': e.ivorn, 'cited': e.cited, 'flags': [],
            'tense': 'test' if e.role == 'test' else 'current', 'packet_type': int(e.params['Packet_Type']),
            'packet_serial': int(e.params['Pkt_Ser_Num']), 'trigger_ns': utc_ns(e.time), 'trigger_digit_s': digit(e.time),
            'published_ns': utc_ns(e.date)}
    if e.text:
        want['text'] = e.text
    put(want, 'inference_p', e.probability)
    if e.place[0] is not None and e.params.get('Coords_String', 'source_object') == 'source_object':
        put(want, 'ra_deg', e.place[0])
        put(want, 'dec_deg', e.place[1])
        if float(e.place[2]) > 0:
            want['error_deg'] = float(e.place[2])
    return want


def fields(want, e, table, absent=('',)):
    for name, key in table:
        put(want, key, e.params.get(name), absent)


def longitude(want):
    if want.get('sat_longitude_deg', 0) > 180:
        want['sat_longitude_deg'] -= 360


def finish(want, containment):
    if 'error_deg' in want:
        want['containment'] = containment
    want['type'] = 'retraction' if want['kind'] == 'retraction' else \
        'initial' if want['kind'] == 'trigger' and not want['cited'] else 'update'
    longitude(want)
    return want


def svom(e):
    p, burst = e.params, e.params['Burst_Id']
    want = common(e, 'SVOM', p['Instrument'], burst, burst)
    want.update(kind=SVOM_KIND[p['Packet_Type']], kind_word=e.ivorn.split(burst + '_')[1])
    fields(want, e, [('SNR', 'snr_sigma'), ('Timescale', 'timescale_s'), ('Lower_Energy_Bound', 'e_min_kev'),
                     ('Upper_Energy_Bound', 'e_max_kev'), ('Moon_Angle', 'moon_angle_deg'), ('Sun_Angle', 'sun_angle_deg'),
                     ('Attitude_Ra', 'attitude_ra_deg'), ('Attitude_Dec', 'attitude_dec_deg'),
                     ('Attitude_Roll', 'attitude_roll_deg'), ('Sat_Longitude', 'sat_longitude_deg'),
                     ('Sat_Latitude', 'sat_latitude_deg'), ('Sat_Altitude', 'sat_altitude_km')])
    for name, key in (('Time_Window_Start', 'window_start_ns'), ('Time_Window_End', 'window_stop_ns'),
                      ('Alert_Seq_T0', 'sequence_ns')):
        if name in p:
            want[key] = utc_ns(p[name])
    if 'Slew_Status' in p:
        want['slew'] = p['Slew_Status'].replace('-', '_')
    kind = {'CRT': 'rate', 'IMT': 'image'}.get(p.get('Trigger_Type'), 'rate' if p['Instrument'] == 'GRM' else None)
    if kind:
        want['trigger_type'] = kind
    if 'Triggered_GRDs' in p:
        want['detectors'] = int(p['Triggered_GRDs'][::-1], 2)
    if want['kind'] == 'catalogue_source':
        want.update(event_class='KnownSource', flags=['in_catalogue'], catalogue_id=int(p['Onboard_Catalog_Id']),
                    catalogue_name=p['Source_Name'])
    return finish(want, 0.9)


def gecam(e):
    p = e.params
    number, flight = int(p['Trigger_Number']), p['Packet_Type'] == '188'
    want = common(e, f'GECAM-{p["MISSION"]}', 'GRD', str(number), f'GECAM-{p["MISSION"]}-{number}')
    want.update(kind='trigger' if flight else 'update', kind_word='GECAM_FLT' if flight else 'GECAM_GND',
                mission_class=p['SRC_CLASS'], event_class=NATURE[p['SRC_CLASS']], flags=[] if flight else ['ground'])
    fields(want, e, [('TRIGGER_SIGNIF', 'snr_sigma'), ('TRIGGER_DUR', 'timescale_s'), ('TRIGGER_ERANGE_LoEnergy', 'e_min_kev'),
                     ('TRIGGER_ERANGE_HiEnergy', 'e_max_kev'), ('BURST_INTEN', 'intensity'), ('BURST_DUR', 'duration_s'),
                     ('Phi', 'phi_deg'), ('Theta', 'theta_deg'), ('SC_LAT', 'sat_latitude_deg'), ('SC_LONG', 'sat_longitude_deg')])
    if flight:
        want.update(detectors=int(p['TRIGGER_DETS'], 16), trigger_type='rate')
    return finish(want, 0.68)


def gbm(e):
    p, word = e.params, GBM_KIND[e.params['Packet_Type']]
    want = common(e, 'Fermi', 'GBM', p['TrigID'], f'Fermi-GBM-{p["TrigID"]}')
    want.update(kind=word[0], kind_word=word[1], trigger_type='rate')
    if int(p['Sequence_Num']):
        want['record'] = int(p['Sequence_Num'])
    zero = ('', '0')
    fields(want, e, [('Trig_Signif', 'snr_sigma'), ('Data_Signif', 'snr_sigma'), ('Burst_Signif', 'snr_sigma'),
                     ('Trig_Dur', 'timescale_s'), ('Data_Timescale', 'timescale_s'), ('Data_Integ', 'timescale_s'),
                     ('Burst_Inten', 'intensity'), ('Hardness_Ratio', 'hardness')], zero)
    fields(want, e, [('Lo_Chan_Energy', 'e_min_kev'), ('Phi', 'phi_deg'), ('Theta', 'theta_deg'),
                     ('SC_Long', 'sat_longitude_deg'), ('SC_Lat', 'sat_latitude_deg'), ('Sun_Distance', 'sun_angle_deg'),
                     ('MOON_Distance', 'moon_angle_deg')])
    if p.get('Hi_Chan_Energy') != 'infinity':
        put(want, 'e_max_kev', p.get('Hi_Chan_Energy'))
    if 'Dets' in p:
        want['detectors'] = int(p['Dets'], 16)
    for which, prefix in (('Most', 'mission_class class_p'), ('Sec_Most', 'second_class second_p')):
        key, p_key = prefix.split()
        index = int(p.get(which + '_Likely_Index', 0))
        if index:
            want[key], want[p_key] = GBM_CLASS[index], int(p[which + '_Likely_Prob']) / 100
    if NATURE.get(want.get('mission_class')):
        want['event_class'] = NATURE[want['mission_class']]
    said = [('Gnd_Generated', 'ground'), ('Human_generated', 'human'), ('Delayed_Transmission', 'delayed'),
            ('Temporal_Prox_Match', 'time_match'), ('Spatial_Prox_Match', 'place_match'), ('Values_Out_of_Range', 'out_of_range')]
    want['flags'] = (['not_a_grb'] if p.get('Def_NOT_a_GRB') == 'true' else []) + \
        [flag for name, flag in said if p.get(name) == 'true'] + \
        [length.lower() for length in ('Short', 'Long') if p.get('Long_short') == length]
    return finish(want, 0.68)


def swift(e):
    p = e.params
    want = common(e, 'Swift', 'BAT', p['TrigID'], f'Swift-BAT-{p["TrigID"]}')
    known = p['Target_in_Flt_Catalog'] == 'true'
    want.update(kind='catalogue_source' if known else 'trigger', kind_word='SWIFT_BAT_GRB_POS',
                event_class='KnownSource' if known else 'GRB')
    fields(want, e, [('Integ_Time', 'timescale_s'), ('Burst_Peak', 'intensity'), ('Image_Signif', 'snr_sigma'),
                     ('Cat_Num', 'catalogue_id')], ('', '0'))
    fields(want, e, [('Phi', 'phi_deg'), ('Theta', 'theta_deg'), ('SC_Long', 'sat_longitude_deg'),
                     ('SC_Lat', 'sat_latitude_deg'), ('Sun_Distance', 'sun_angle_deg'), ('MOON_Distance', 'moon_angle_deg')])
    want['trigger_type'] = 'image' if p['Target_Imag_Trig'] == 'true' else 'rate'
    want['flags'] = [flag for name, flag in (('Target_in_Flt_Catalog', 'in_catalogue'), ('Delayed_Transmission', 'delayed'),
                                             ('StarTrack_Lost_Lock', 'lost_lock'), ('Temporal_Prox_Match', 'time_match'),
                                             ('Spatial_Prox_Match', 'place_match')) if p[name] == 'true']
    return finish(want, 0.9)


# ---- GCN's unified JSON ----

def unified(o, mission, instrument, prefix):
    first = o['id'][0] if isinstance(o['id'], list) else o['id']
    want = {'code': 'ok', 'mission_name': mission, 'instrument_name': instrument, 'instrument': INSTRUMENT.get(instrument, 6),
            'trigger_name': first, 'id': prefix + first if first.isdigit() else first, 'cited': [], 'flags': [],
            'kind': {'update': 'update', 'retraction': 'retraction'}.get(o.get('alert_type'), 'trigger'),
            'type': o.get('alert_type', 'initial'), 'tense': o.get('alert_tense', 'current'),
            'trigger_ns': utc_ns(o['trigger_time']), 'trigger_digit_s': digit(o['trigger_time'])}
    for name, key in (('ra', 'ra_deg'), ('dec', 'dec_deg'), ('ra_dec_error', 'error_deg'), ('instrument_phi', 'phi_deg'),
                      ('instrument_theta', 'theta_deg'), ('sun_distance', 'sun_angle_deg'), ('latitude', 'sat_latitude_deg'),
                      ('longitude', 'sat_longitude_deg'), ('net_count_rate', 'intensity'), ('flux', 'intensity'),
                      ('record_number', 'record')):
        if name in o:
            want[key] = o[name]
    for which in ('image', 'rate') if o.get('trigger_type') != 'rate' else ('rate', 'image'):
        if f'{which}_snr' in o:
            want.setdefault('snr_sigma', o[f'{which}_snr'])
        if o.get(f'{which}_duration'):
            want.setdefault('timescale_s', o[f'{which}_duration'])
        if f'{which}_energy_range' in o and 'e_min_kev' not in want:
            want['e_min_kev'], want['e_max_kev'] = o[f'{which}_energy_range']
    if o.get('hardness_ratio'):
        want['hardness'] = o['hardness_ratio']
    if 'alert_datetime' in o:
        want['published_ns'] = utc_ns(o['alert_datetime'])
    if 'error_deg' in want:
        want['containment'] = o.get('containment_probability', 0.9)
    if 'additional_info' in o:
        want['text'] = o['additional_info'].replace('\n', ' ')[:239]
    if 'subtype' in o or 'alert_type' in o:
        want['kind_word'] = o.get('subtype', o.get('alert_type'))
    kind = o.get('trigger_type', 'rate' if instrument == 'GRM' else None)
    if kind:
        want['trigger_type'] = kind
    flags = [('ground_generated_notice', 'ground'), ('human_in_the_loop', 'human')]
    want['flags'] = [flag for name, flag in flags if o.get(name)] + ([o['duration_class'].lower()] if 'duration_class' in o else [])
    longitude(want)
    return want


def unified_details(o, want):
    detectors = o.get('triggered_GRDs') or [s == 'triggered' for s in o.get('detectors_status', [])]
    if detectors:
        want['detectors'] = sum(1 << i for i, yes in enumerate(detectors) if yes)
    ranked = sorted(o.get('classification', {}).items(), key=lambda item: -item[1])
    for (key, p_key), (word, p) in zip((('mission_class', 'class_p'), ('second_class', 'second_p')), ranked):
        want[key], want[p_key] = word, p
    if NATURE.get(want.get('mission_class')):
        want['event_class'] = NATURE[want['mission_class']]
    if 'slew_status' in o:
        want['slew'] = o['slew_status']
        if want['kind'] == 'update' and o['slew_status'] in ('accepted', 'rejected'):
            want['kind'] = 'slew'
    if want['mission_name'] == 'SVOM' and 'event_name' in o:
        want.update(kind='catalogue_source', event_class='KnownSource', catalogue_name=o['event_name'][0], flags=['in_catalogue'])
    return want


def read_unified(path, mission, instrument, prefix):
    o = json.loads(path.read_text())
    return unified_details(o, unified(o, mission, instrument or o['instrument'], prefix))


# ---- which file is what ----

def plan():
    """[(folder, path, realm's mission, content, what Python makes of it)]"""
    def events(folder, pattern, topic, reader):
        return [(folder, f, topic, f.suffix[1:], lambda f=f: reader(Event(f))) for f in sorted((DATA / folder).glob(pattern))]
    found = []
    for kind in ('alert', 'flt-pos', 'gnd-pos', 'fin-pos'):
        found += events(f'fermi-gbm-{kind}', '*.xml', 'fermi', gbm)
    for kind in ('eclairs', 'grm', 'mxt'):
        found += events(f'svom-{kind}', '*.xml', 'svom', svom)
    found += events('gecam', '*.*', 'gecam-b', gecam)
    found += events('gtecs-other', 'sb*.xml', 'svom', svom) + events('gtecs-other', '1*.xml', 'external', swift)
    found += [('ep-wxt', f, 'external', 'json', lambda f=f: read_unified(f, 'Einstein Probe', 'WXT', 'EP-WXT-'))
              for f in sorted((DATA / 'ep-wxt').glob('*.json'))]
    examples = DATA / 'gcn-schema/gcn/notices'
    found += [('gcn-schema/svom', f, 'svom', 'json', lambda f=f: read_unified(f, 'SVOM', None, ''))
              for f in sorted(examples.glob('svom/*/*.example.json'))]
    found += [('gcn-schema/fermi', f, 'fermi', 'json', lambda f=f: read_unified(f, 'Fermi', 'GBM', 'Fermi-GBM-'))
              for f in sorted(examples.glob('fermi/gbm/*.example.json'))]
    return found


def differs(got, want):
    for key in sorted(got.keys() | want.keys()):
        a, b = got.get(key), want.get(key)
        same = math.isclose(a, b, rel_tol=1e-14, abs_tol=1e-11) if isinstance(a, float) and isinstance(b, (int, float)) else a == b
        if not same:
            return f'{key} is {a!r}, Python reads {b!r}'
    return None


def check_all(found):
    answers = dump([f'live {topic} {content} {path}' for _, path, topic, content, _ in found])
    per_folder = collections.OrderedDict()
    for (folder, path, _, _, reader), got in zip(found, answers):
        fault = got['text'] if got['code'] != 'ok' else differs(got, reader())
        per_folder.setdefault(folder, []).append((path, got, fault))
    for folder, all_of_it in per_folder.items():
        faults = [f'{path.name}: {fault}' for path, _, fault in all_of_it if fault]
        case(f'every_notice_of_{folder}_reads_as_python_reads_it ({len(all_of_it)})', faults[:3])
    case('every_file_that_is_a_notice_was_read', left_out(found))
    return per_folder


def left_out(found):
    files = {p for p in DATA.rglob('*.*') if p.suffix in ('.xml', '.json') and not p.name.endswith('.schema.json')}
    return sorted(str(p.relative_to(DATA)) for p in files - {path for _, path, _, _, _ in found})


# ---- the digests beside the notices ----

COLUMNS = {  # of the digest: field of ours
    'Trig_Signif': 'snr_sigma', 'Burst_Signif': 'snr_sigma', 'Data_Signif': 'snr_sigma', 'SNR': 'snr_sigma',
    'Trig_Dur': 'timescale_s', 'Data_Timescale': 'timescale_s', 'Timescale': 'timescale_s', 'Data_Integ': 'timescale_s',
    'C1': 'ra_deg', 'C2': 'dec_deg', 'Error2Radius': 'error_deg', 'Sun_Angle': 'sun_angle_deg', 'Moon_Angle': 'moon_angle_deg',
    'Sat_Latitude': 'sat_latitude_deg', 'SC_Lat': 'sat_latitude_deg', 'Lower_Energy_Bound': 'e_min_kev',
    'Upper_Energy_Bound': 'e_max_kev', 'Onboard_Catalog_Id': 'catalogue_id', 'Hardness_Ratio': 'hardness'}


def digest_fault(row, got):
    for column, key in COLUMNS.items():
        text = row.get(column, '')
        want = float(text) if text not in ('', 'infinity') else None
        unknown = want in (0, -1) and column not in ('C1', 'C2', 'Sun_Angle', 'Moon_Angle')
        if (want is not None and not unknown and got.get(key) != want) and not (column in ('C1', 'C2') and 'ra_deg' not in got):
            return f'{row["file"]}: {key} is {got.get(key)}, {column} {text}'
    if utc_ns(row['ISOTime']) != got['trigger_ns'] or not got['ivorn'].endswith(row['ivorn']):
        return f'{row["file"]}: {got["ivorn"]} at {got["trigger_ns"]}'
    index = int(row.get('Most_Likely_Index') or 0)
    if index and (got['mission_class'], got['class_p']) != (GBM_CLASS[index], int(row['Most_Likely_Prob']) / 100):
        return f'{row["file"]}: {got["mission_class"]} {got["class_p"]}'
    return None


def check_digests(per_folder):
    by_name = {path.name: got for all_of_it in per_folder.values() for path, got, _ in all_of_it}
    for digest in sorted(DATA.glob('*.csv')):
        rows = [row for row in csv.DictReader(digest.open()) if row['file'] in by_name]
        faults = [f for f in (digest_fault(row, by_name[row['file']]) for row in rows) if f]
        case(f'digest_{digest.stem}_says_the_same ({len(rows)})', faults[:3] or (not rows and 'no row has its notice'))


# ---- sequences, and classic packets made of the same values ----

def check_sequences(per_folder):
    groups = collections.defaultdict(set)
    for folder, all_of_it in per_folder.items():
        for _, got, _ in all_of_it:
            if folder.startswith(('fermi-gbm', 'gecam')):
                groups[got['id']].add(got['trigger_ns'])
    moved = {k: v for k, v in groups.items() if len(v) > 1}
    case(f'all_notices_of_a_trigger_have_one_id_and_one_time ({len(groups)} triggers)', moved)
    retracted = {got['id'] for all_of_it in per_folder.values() for _, got, _ in all_of_it if got['kind'] == 'retraction'}
    told = {'sb26030408', 'sb26020402', 'sb26020303', 'sb26043009', 'sb26050405'}  # README.txt of the notices
    case('retractions_are_those_the_missions_made', retracted - told or (not retracted and 'none'))


def packet(words):
    all_of_it = [0] * 40
    for at, value in words.items():
        all_of_it[at] = round(value)
    return struct.pack('>40i', *all_of_it)


def day_and_second(time):
    t = Time(time, scale='utc', format='isot')
    midnight = Time(time[:10] + 'T00:00:00', scale='utc', format='isot')
    return round(midnight.mjd) - 40000, (t - midnight).sec


def gecam_packet(e):
    p = e.params
    day, second = day_and_second(e.time)
    words = {0: 188 if p['Packet_Type'] == '188' else 189, 1: int(p['Pkt_Ser_Num']), 4: int(p['Trigger_Number']), 5: day,
             6: second * 1e4, 7: float(e.place[0]) * 1e4, 8: float(e.place[1]) * 1e4, 9: float(p['BURST_INTEN']),
             10: float(e.place[2]) * 1e4, 11: 1 + ['GRB', 'SFLARE', 'KNOWN_SOURCE', 'GENERIC_SOURCE'].index(p['SRC_CLASS']),
             12: float(p['Phi']) * 100, 13: float(p['Theta']) * 100, 14: float(p['BURST_DUR']) * 1e4,
             16: float(p['SC_LAT']) * 100, 17: float(p['SC_LONG']) * 100, 19: 'ABC'.index(p['MISSION']) + 1}
    if 'TRIGGER_SIGNIF' in p:
        words.update({20: float(p['TRIGGER_SIGNIF']) * 100, 24: float(p['TRIGGER_ERANGE_LoEnergy']),
                      25: float(p['TRIGGER_ERANGE_HiEnergy'])})
    return packet(words)


def gbm_packet(e):
    p = e.params
    day, second = day_and_second(e.time)
    words = {0: int(p['Packet_Type']), 1: int(p['Pkt_Ser_Num']), 4: int(p['TrigID']), 5: day, 6: second * 100,
             7: float(e.place[0]) * 1e4, 8: float(e.place[1]) * 1e4, 11: float(e.place[2]) * 1e4,
             18: int(p.get('Trigger_ID', '0'), 16), 19: int(p.get('Misc_flags', '0'), 16)}
    if 'Data_Signif' in p:
        words.update({21: float(p['Data_Signif']) * 100, 23: int(p['Most_Likely_Index'])})
    if p['Packet_Type'] == '112':
        words[21] = float(p['Burst_Signif']) * 10
    return packet(words)


BOTH = ['id', 'trigger_ns', 'trigger_name', 'packet_type', 'packet_serial', 'kind', 'kind_word', 'tense', 'ra_deg', 'dec_deg',
        'error_deg', 'containment', 'event_class', 'mission_name', 'instrument_name']
GECAM_TOO = ['mission_class', 'intensity', 'duration_s', 'phi_deg', 'theta_deg', 'sat_latitude_deg', 'sat_longitude_deg',
             'snr_sigma', 'e_min_kev', 'e_max_kev', 'flags']


def check_packets(per_folder):
    with tempfile.TemporaryDirectory() as folder:
        for mission, folders, make in (('gecam-b', ['gecam'], gecam_packet),
                                       ('fermi', ['fermi-gbm-alert', 'fermi-gbm-flt-pos', 'fermi-gbm-gnd-pos'], gbm_packet)):
            lines, wanted = [], []
            for path, got, _ in [x for f in folders for x in per_folder[f]]:
                binary = pathlib.Path(folder) / (path.stem + '.bin')
                binary.write_bytes(make(Event(path)))
                lines.append(f'live {mission} binary {binary}')
                wanted.append(got)
            faults = []
            for got, want in zip(dump(lines), wanted):
                keys = BOTH + (GECAM_TOO if mission == 'gecam-b' else [] if want['packet_type'] == 110 else ['snr_sigma'])
                fault = got.get('text') if got['code'] != 'ok' else \
                    differs({k: got.get(k) for k in keys if k in got}, {k: want.get(k) for k in keys if k in want})
                if fault:
                    faults.append(f'{want["id"]} {want["packet_type"]}: {fault}')
            case(f'classic_packets_of_{mission}_say_what_the_xml_says ({len(lines)})', faults[:3])


def table(per_folder):
    kinds = ['trigger', 'update', 'catalogue_source', 'slew', 'follow_up', 'retraction']
    print('| folder | files | ' + ' | '.join(kinds) + ' | without place | events |\n|' + '---|' * (len(kinds) + 4))
    for folder, all_of_it in per_folder.items():
        got = [g for _, g, _ in all_of_it]
        counts = [sum(g['kind'] == k for g in got) or '' for k in kinds]
        print(f'| {folder} | {len(got)} | ' + ' | '.join(map(str, counts)) +
              f' | {sum("ra_deg" not in g for g in got) or ""} | {len({g["id"] for g in got})} |')


def main():
    if not DATA.is_dir():
        print('skip notices_read_as_python_reads_them: no ../shared/data/gcn-notices')
        return 0
    per_folder = check_all(plan())
    check_digests(per_folder)
    check_sequences(per_folder)
    check_packets(per_folder)
    if '--table' in sys.argv:
        table(per_folder)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
