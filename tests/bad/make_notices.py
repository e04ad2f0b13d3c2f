#!/usr/bin/python3
"""Write good notices of every kind, and bad ones each of which is wrong in one place.

  make_notices.py --out DIR   write the files and DIR/list.json
  make_notices.py --list      print that list without writing anything

Each entry of the list: `name` (the file), `topic` (its middle and last words, e.g. svom.trigger), `content` (json, xml or
binary), `code` ("ok", or the name of the refusal), `part` (words its sentence must contain) and `class`: NX the XML, NJ the
JSON, NB the packet, NV a value, NI who it is, NT when, NP where, NL a limit, NC a contradiction, NK a kind not taken, NO an
oddity that is taken. The same call gives the same bytes."""
import argparse
import gzip
import json
import pathlib
import struct

SVOM, GECAM, FERMI, OTHER = 'svom.trigger', 'gecam-b.trigger', 'fermi.trigger', 'external.trigger'
TOO_BIG = 256 * 1024 + 1


# ---- good notices; the trigger is 2026-11-20T12:34:00 UTC, TJD 21364, second 45240, Fermi's second 816870845 ----

def param(name, value, **more):
    extra = ''.join(f' {k}="{v}"' for k, v in more.items())
    return f'<Param name="{name}" value="{value}"{extra}/>\n'


def voevent(ivorn, params, ra='150.5000', dec='-20.2500', radius='0.1500', iso='2026-11-20T12:34:00.00', after=''):
    place = '' if ra is None else (f'<Position2D unit="deg"><Name1>RA</Name1><Name2>Dec</Name2>\n<Value2><C1>{ra}</C1><C2>{dec}</C2>'
                                   f'</Value2>\n<Error2Radius>{radius}</Error2Radius></Position2D>\n')
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"\n role="observation"'
            f' version="2.0" ivorn="{ivorn}">\n<Who><AuthorIVORN>ivo://a/b</AuthorIVORN>\n<Date>2026-11-20T12:35:00</Date></Who>\n'
            f'<What>\n{"".join(params)}</What>\n<WhereWhen><ObsDataLocation><ObservationLocation>\n'
            f'<AstroCoords coord_system_id="UTC-ICRS-GEO">\n<Time unit="s"><TimeInstant><ISOTime>{iso}</ISOTime></TimeInstant></Time>\n'
            f'{place}</AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen>\n{after}</voe:VOEvent>\n').encode()


def svom():
    return voevent('ivo://org.svom/fsc#sb26112003_eclairs-wakeup', [
        param('Packet_Type', 202), param('Pkt_Ser_Num', 1), param('Instrument', 'ECLAIRs'),
        '<Group name="Svom_Identifiers">\n', param('Burst_Id', 'sb26112003'), '</Group>\n<Group name="Detection_Info">\n',
        param('SNR', '9.25', unit='sigma'), param('Timescale', '20.48'), param('Time_Window_Start', '2026-11-20T12:34:00.000Z'),
        param('Time_Window_End', '2026-11-20T12:34:20.480Z'), param('Lower_Energy_Bound', 5), param('Upper_Energy_Bound', 20),
        param('Trigger_Type', 'IMT'), '</Group>\n', param('Slew_Status', 'not-requested'), param('Sat_Latitude', '-12.5')])


def grm():
    return voevent('ivo://org.svom/fsc#sb26112003_grm-trigger', [
        param('Packet_Type', 201), param('Instrument', 'GRM'), param('Burst_Id', 'sb26112003'), param('Triggered_GRDs', '011')],
            ra=None)


def retraction():
    cited = ''.join(f'<EventIVORN cite="retraction">ivo://org.svom/fsc#sb26112003_{w}</EventIVORN>\n' for w in ('grm-trigger',
        'eclairs-wakeup'))
    return voevent('ivo://org.svom/fsc#sb26112003_retraction', [
        param('Packet_Type', 219), param('Instrument', 'ECLAIRs'), param('Burst_Id', 'sb26112003')],
        after=f'<Citations>\n{cited}<Description>Not a burst</Description></Citations>\n')


def gecam():
    return voevent('ivo://nasa.gsfc.gcn/GECAM#FLT_Event_000003-111', [
        param('Packet_Type', 188, dataType='int'), param('Trigger_Number', 411), param('MISSION', 'B'), param('EVENT_DATE', 21364),
        param('EVENT_TIME', '45240.000', datatype='float'), param('TRIGGER_SIGNIF', ' 5.10'), param('TRIGGER_DUR', '0.200'),
        param('TRIGGER_ERANGE_LoEnergy', 30), param('TRIGGER_ERANGE_HiEnergy', 140), param('TRIGGER_DETS', '0x1010001'),
        param('SRC_CLASS', 'GRB'), param('BURST_INTEN', 1200), param('SC_LONG', '50.31')], radius='3.5000')


def gbm():
    return voevent('ivo://nasa.gsfc.gcn/Fermi#GBM_Flt_Pos_2026-11-20T12:34:00.00_816870845_44-945', [
        param('Packet_Type', 111), param('TrigID', 816870845), param('Sequence_Num', 44), param('Burst_TJD', 21364),
        param('Burst_SOD', '45240.00'), param('Data_Signif', '6.50'), param('Dets', '0x6'), param('Most_Likely_Index', 4),
        param('Most_Likely_Prob', 72), param('Sec_Most_Likely_Index', 7), param('Sec_Most_Likely_Prob', 25),
        '<Group name="Trigger_ID">\n', param('Def_NOT_a_GRB', 'false'), param('Test_Submission', 'false'), '</Group>\n',
        param('Coords_String', 'source_object')], radius='11.2500')


def swift():
    return voevent('ivo://nasa.gsfc.gcn/SWIFT#BAT_GRB_Pos_1234567-406', [
        param('Packet_Type', 61), param('TrigID', 1234567), param('Image_Signif', '12.25'), param('GRB_Identified', 'true')],
            radius='0.0500')


def svom_json():
    return {'$schema': 'https://gcn.nasa.gov/schema/v7.2.1/gcn/notices/svom/trigger.schema.json', 'instrument': 'ECLAIRs',
            'alert_datetime': '2026-11-20T12:35:00Z', 'alert_tense': 'current', 'alert_type': 'initial', 'id': ['sb26112003'],
            'trigger_time': '2026-11-20T12:34:00.000000', 'ra': 150.5, 'dec': -20.25, 'ra_dec_error': 0.15, 'image_snr': 9.25,
            'image_duration': 20.48, 'image_energy_range': [5, 20], 'trigger_type': 'image', 'slew_status': 'not_requested'}


def gbm_json():
    return {'mission': 'Fermi', 'instrument': 'GBM', 'id': ['816870845', 'bn261120523'], 'trigger_time': '2026-11-20T12:34:00.00',
            'alert_type': 'update', 'alert_tense': 'current', 'classification': {'GRB': 0.72, 'TGF': 0.25}, 'ra': 150.5, 'dec': -20.25}


def ep_json():
    return {'$schema': 'https://gcn.nasa.gov/schema/v4.1.0/gcn/notices/einstein_probe/wxt/alert.schema.json', 'instrument': 'WXT',
            'trigger_time': '2026-11-20T12:34:00.5Z', 'id': ['01709990001'], 'ra': 181.25, 'dec': -5.5, 'ra_dec_error': 0.05}


GECAM_WORDS = {0: 188, 1: 3, 4: 411, 5: 21364, 6: 452400000, 7: 1505000, 8: -202500, 9: 1200, 10: 35000, 11: 1, 16: -2150, 17: 5031,
               19: 2, 20: 510, 24: 30, 25: 140}
GBM_WORDS = {0: 111, 1: 5, 4: 816870845, 5: 21364, 6: 4524000, 7: 1505000, 8: -202500, 11: 112500, 21: 650, 23: 4}


def packet(words, **change):
    words = {**words, **{int(k[1:]): v for k, v in change.items()}}
    return struct.pack('>40i', *(words.get(i, 0) for i in range(40)))


KINDS = {'svom': (svom, SVOM), 'grm': (grm, SVOM), 'retraction': (retraction, SVOM), 'gecam': (gecam, GECAM), 'gbm': (gbm, FERMI),
         'swift': (swift, OTHER)}
JSONS = {'svom': (svom_json, SVOM), 'gbm': (gbm_json, FERMI), 'ep': (ep_json, OTHER)}


class Set:
    def __init__(self):
        self.entries, self.files = [], {}

    def add(self, cls, name, topic, content, body, code='ok', part=''):
        name = f'{name}.{"bin" if content == "binary" else content}'
        assert name not in self.files, name
        self.files[name] = body
        self.entries.append({'name': name, 'topic': topic, 'content': content, 'code': code, 'part': part, 'class': cls})

    def xml(self, cls, kind, name, old, new, code='ok', part='', topic=None):
        """The good VOEvent of that kind with one text in place of another."""
        make, its_topic = KINDS[kind]
        body, old = make(), old.encode() if isinstance(old, str) else old
        assert body.count(old) >= 1, (kind, old)
        new = new.encode() if isinstance(new, str) else new
        self.add(cls, f'{kind}_{name}', topic or its_topic, 'xml', body.replace(old, new, 1), code, part)

    def json(self, cls, kind, name, change, code='ok', part='', topic=None):
        """The good JSON of that kind with keys changed (or dropped: ...), or with its text changed."""
        make, its_topic = JSONS[kind]
        body = make()
        if isinstance(change, dict):
            body.update({k: v for k, v in change.items() if v is not ...})
            text = json.dumps({k: v for k, v in body.items() if change.get(k) is not ...}, indent=1)
        else:
            text = change(json.dumps(body, indent=1))
        self.add(cls, f'{kind}_{name}', topic or its_topic, 'json', text if isinstance(text, bytes) else text.encode(), code, part)

    def binary(self, cls, name, body, code='ok', part='', topic=GECAM):
        self.add(cls, name, topic, 'binary', body, code, part)


def good(s):
    for kind, (make, topic) in KINDS.items():
        s.add('good', f'good_{kind}', topic, 'xml', make())
    for kind, (make, topic) in JSONS.items():
        s.add('good', f'good_{kind}', topic, 'json', json.dumps(make()).encode())
    s.binary('good', 'good_gecam', packet(GECAM_WORDS))
    s.binary('good', 'good_gbm', packet(GBM_WORDS), topic=FERMI)


def xml_grammar(s):
    for name, body, part in (
            ('empty', b'', 'an empty notice'), ('blank', b' \n\t\r\n', 'an empty notice'),
                ('json', b'{"id": "a"}', 'begins with byte 0x7b'),
            ('text', b'TITLE: GCN/FERMI NOTICE', 'begins with byte 0x54'),
                ('gzip', gzip.compress(svom(), mtime=0), 'begins with byte 0x1f'),
            ('fits', b'SIMPLE  =                    T', 'begins with byte 0x53'), ('nul', b'\0' * 64, 'begins with byte 0x00'),
            ('utf16', svom().decode().replace('UTF-8', 'UTF-16').encode('utf-16'), 'begins with byte 0xff'),
            ('nul_inside', svom().replace(b'ECLAIRs', b'ECL\0AIRs'), 'XML, line'),
            ('half', svom()[:700], 'XML, line'), ('last_tag', svom()[:-16], 'XML, line'), ('twice', svom() + svom(), 'XML, line'),
            ('tag_mismatch', svom().replace(b'</What>', b'</Wha>'), 'tag mismatch'),
            ('quote_open', svom().replace(b'value="202"', b'value="202'), 'XML, line'),
            ('attribute_twice', svom().replace(b'role="observation"', b'role="test" role="observation"'), 'Attribute role redefined'),
            ('control', svom().replace(b'ECLAIRs', b'ECL\x01'), 'XML, line'),
                ('latin1', svom().replace(b'ECLAIRs', b'\xe9'), 'XML, line'),
            ('prefix', svom().replace(b'xmlns:voe', b'xmlns:voa'), 'Namespace prefix voe'),
            ('entity', svom().replace(b'"ECLAIRs"', b'"&instrument;"'), "'instrument' not defined"),
            ('entity_null', svom().replace(b'"ECLAIRs"', b'"&#0;"'), 'XML, line')):
        s.add('NX', f'xml_{name}', SVOM, 'xml', body, 'format', part)
    s.add('NK', 'xml_html', SVOM, 'xml', b'<!-- 502 -->\n<html><body><h1>Bad gateway</h1></body></html>', 'unsupported',
        'a <html> is no VOEvent')
    s.add('NK', 'xml_rss', SVOM, 'xml', b'<rss version="2.0"/>', 'unsupported', 'a <rss> is no VOEvent')
    s.add('NX', 'xml_encoding_utf7', SVOM, 'xml', svom().replace(b'UTF-8', b'UTF-7'), 'unsupported', "encoding 'UTF-7'")
    s.add('NX', 'xml_encoding_ebcdic', SVOM, 'xml', svom().replace(b'UTF-8', b'IBM037'), 'unsupported', "encoding 'IBM037'")


def xml_attacks(s):
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    laughs = b''.join(b'<!ENTITY l%d "%s">\n' % (i, b'&l%d;' % (i - 1) * 10 if i else b'ha') for i in range(10))
    declaration = 'a document type declaration'
    for name, inner in (('laughs', b'<!DOCTYPE x [\n' + laughs + b']>'),
        ('blowup', b'<!DOCTYPE x [<!ENTITY a "' + b'a' * 50000 + b'">]>'),
                        ('file', b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'),
                        ('net', b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'), ('public', b'<!DOCTYPE x PUBLIC "a" "b">'),
                        ('parameter', b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///dev/zero"> %p;]>'), ('bare', b'<!DOCTYPE VOEvent>')):
        s.add('NX', f'xml_doctype_{name}', SVOM, 'xml', svom().replace(head, head + inner + b'\n'), 'format', declaration)
    s.add('NL', 'xml_attributes', SVOM, 'xml', b'<VOEvent' + b''.join(b' a%d=">"' % i for i in range(20000)) + b'/>', 'limit',
        'more than 64 attributes')
    s.add('NL', 'xml_namespaces', SVOM, 'xml', b'<VOEvent' + b''.join(b' xmlns:a%d="u"' % i for i in range(9000)) + b'/>', 'limit',
        'more than 64 attributes')
    s.add('NL', 'xml_deep_40', SVOM, 'xml', svom().replace(b'<What>', b'<What>' + b'<a>' * 40 + b'</a>' * 40), 'limit',
        'more than 32 elements')
    s.add('NX', 'xml_deep_40000', SVOM, 'xml', b'<a>' * 36000 + b'</a>' * 36000, 'format', 'Excessive depth')
    s.add('NL', 'xml_params', SVOM, 'xml', svom().replace(b'</What>',
        b''.join(b'<Param name="p%d" value="1"/>' % i for i in range(600)) + b'</What>'), 'limit', 'more than 512 Params')
    cited = b''.join(b'<EventIVORN cite="followup">ivo://a#%d</EventIVORN>' % i for i in range(9))
    s.add('NL', 'xml_citations', SVOM, 'xml', svom().replace(b'</voe:VOEvent>',
        b'<Citations>' + cited + b'</Citations></voe:VOEvent>'), 'limit', 'more than 8 EventIVORNs')
    s.add('NL', 'xml_big', SVOM, 'xml', svom().ljust(TOO_BIG), 'limit', 'at most 262144')
    s.add('NO', 'xml_as_big_as_may_be', SVOM, 'xml', svom().ljust(TOO_BIG - 1))
    s.add('NO', 'xml_empty_elements', SVOM, 'xml', svom().replace(b'<What>', b'<What>' + b'<a/>' * 50000))


def json_grammar(s):
    def cut(n):
        return lambda text: text[:n]
    for name, change, part in (
            ('half', cut(200), 'JSON, line'), ('last_brace', cut(-1), 'JSON, line'),
                ('twice', lambda t: t + t, 'end of file expected'),
            ('comma', lambda t: t.replace('"ECLAIRs",', '"ECLAIRs"'), 'JSON, line 4'),
                ('single_quotes', lambda t: t.replace('"', "'"), 'JSON, line 2'),
            ('comment', lambda t: t.replace('{', '{ // a comment\n'), 'JSON, line 1'),
                ('nan', lambda t: t.replace('9.25', 'NaN'), 'JSON, line 14'),
            ('infinity', lambda t: t.replace('9.25', '-Infinity'), 'JSON, line 14'),
                ('overflow', lambda t: t.replace('9.25', '1e999'), 'real number overflow'),
            ('octal', lambda t: t.replace('9.25', '09.25'), 'JSON, line 14'),
                ('hex', lambda t: t.replace('9.25', '0x9'), 'JSON, line 14'),
            ('big_integer', lambda t: t.replace('9.25', '9' * 40), 'too big integer'),
                ('duplicate', lambda t: t.replace('{', '{"ra": 1,', 1), 'duplicate object key'),
            ('nul', lambda t: t.replace('ECLAIRs', '\\u0000'), 'JSON, line 3'),
                ('raw_nul', lambda t: t.replace('ECLAIRs', '\0'), 'JSON, line 3'),
            ('surrogate', lambda t: t.replace('ECLAIRs', '\\ud800'), 'JSON, line 3'),
                ('latin1', lambda t: t.replace('ECLAIRs', '\xe9').encode('latin-1'), 'JSON, line'),
            ('empty', lambda t: '', 'an empty notice'), ('xml', lambda t: '<VOEvent/>', 'begins with byte 0x3c'),
                ('list', lambda t: f'[{t}]', 'begins with byte 0x5b'),
            ('utf16', lambda t: t.encode('utf-16'), 'begins with byte 0xff'), ('word', lambda t: 'null', 'begins with byte 0x6e')):
        s.json('NJ', 'svom', name, change, 'format', part)
    s.json('NL', 'svom', 'deep_33', lambda t: t.replace('9.25', '[' * 32 + ']' * 32), 'limit', 'more than 32 brackets')
    s.json('NL', 'svom', 'deep_50000', lambda t: t.replace('9.25', '[' * 50000), 'limit', 'more than 32 brackets')
    s.json('NL', 'svom', 'keys', {f'k{i}': 0 for i in range(600)}, 'limit', 'more than 512 keys')
    s.json('NL', 'svom', 'big', lambda t: t.ljust(TOO_BIG), 'limit', 'at most 262144')


def values(s):
    for name, old, new, code, part in (
            ('snr_word', '"9.25"', '"high"', 'format', "Param SNR is 'high': a number expected"),
                ('snr_unit', '"9.25"', '"9.25 sigma"', 'format', 'Param SNR'),
            ('snr_comma', '"9.25"', '"9,25"', 'format', 'Param SNR'), ('snr_hex', '"9.25"', '"0x9"', 'format', 'Param SNR'),
            ('snr_inf', '"9.25"', '"inf"', 'format', 'Param SNR'), ('snr_negative', '"9.25"', '"-9.25"', 'range', '0 to 1e+06'),
            ('snr_huge', '"9.25"', '"9e9"', 'range', '0 to 1e+06'),
                ('snr_twice', param('SNR', '9.25', unit='sigma'), param('SNR', '9.25') + param('SNR', '9.26'), 'format',
                'Param SNR is given twice'),
            ('band_inverted', '"Upper_Energy_Bound" value="20"', '"Upper_Energy_Bound" value="4"', 'range', 'energy band 5 to 4 keV'),
            ('latitude', '"-12.5"', '"-92.5"', 'range', 'Param Sat_Latitude'),
                ('packet_type', 'value="202"', 'value="2.5"', 'format', 'a whole number'),
            ('packet_type_word', 'value="202"', 'value="wakeup"', 'format', 'Param Packet_Type')):
        s.xml('NV', 'svom', name, old, new, code, part)
    s.xml('NV', 'grm', 'grds_four', '"011"', '"0110"', 'format', 'three digits')
    s.xml('NV', 'grm', 'grds_two', '"011"', '"021"', 'format', 'three digits')
    s.xml('NV', 'gecam', 'dets_bits', '0x1010001', '0x2010001', 'range', '25 bits expected')
    s.xml('NV', 'gecam', 'dets_word', '0x1010001', 'all', 'format', 'a mask')
    s.xml('NV', 'gbm', 'dets_bits', '"0x6"', '"0x8000"', 'range', '14 bits expected')
    s.xml('NV', 'gbm', 'class_percent', 'value="72"', 'value="172"', 'range', 'Most_Likely_Prob')
    s.xml('NV', 'gbm', 'flag_word', '"Def_NOT_a_GRB" value="false"', '"Def_NOT_a_GRB" value="maybe"', 'format',
        'true or false expected')
    for name, change, code, part in (
            ('snr_text', {'image_snr': 'nine'}, 'format', "key image_snr is 'nine'"),
                ('far_negative', {'far': -2}, 'range', 'key far'),
            ('p_astro', {'p_astro': 1.5}, 'range', 'key p_astro'),
                ('classes_sum', {'classification': {'GRB': 0.8, 'SGR': 0.8}}, 'range', 'sum to 1.6'),
            ('class_above_one', {'classification': {'GRB': 2}}, 'range', 'key GRB is 2'),
                ('band', {'image_energy_range': [20, 5]}, 'range', 'energy band 20 to 5'),
            ('quaternion', {'attitude_quarternion': [1, 1, 1, 1]}, 'range', 'its square is 4'),
                ('tense', {'alert_tense': 'real'}, 'format', 'alert_tense'),
            ('tense_null_like', {'alert_tense': 0}, 'format', 'alert_tense is 0'),
                ('type', {'alert_type': 'final'}, 'format', 'alert_type'),
            ('record', {'record_number': 1.5}, 'format', 'a whole number'),
                ('flag', {'human_in_the_loop': 'perhaps'}, 'format', 'true or false')):
        s.json('NV', 'svom', name, change, code, part)


def identity(s):
    for name, old, new, code, part in (
            ('burst_id', 'value="sb26112003"', 'value="sb26112004"', 'conflict', 'the IVORN is of another burst'),
            ('ivorn_burst', '#sb26112003_', '#sb26112099_', 'conflict', 'the IVORN is of another burst'),
            ('burst_id_prefix', '#sb26112003_', '#sb261120031_', 'conflict', 'the IVORN is of another burst'),
            ('no_fragment', '#sb26112003_eclairs-wakeup', '', 'conflict', 'the IVORN is of another burst'),
            ('burst_id_form', 'value="sb26112003"', 'value="sb2611200"', 'format', 'sbYYMMDDnn expected'),
            ('burst_id_blank', 'value="sb26112003"', 'value="sb 2611200"', 'format', 'letters, digits'),
            ('burst_id_path', 'value="sb26112003"', 'value="../../etc"', 'format', 'letters, digits'),
            ('burst_id_absent', param('Burst_Id', 'sb26112003'), '', 'missing', 'without Burst_Id'),
            ('burst_id_unknown', 'value="sb26112003"', 'value="N/A"', 'format', 'sbYYMMDDnn'),
            ('ivorn_absent', 'ivorn=', 'ivoid=', 'missing', 'without ivorn'),
                ('ivorn_scheme', '"ivo://org', '"http://org', 'format', 'ivo://'),
            ('ivorn_blank', 'eclairs-wakeup', 'eclairs wakeup', 'format', 'visible ASCII'),
                ('ivorn_long', 'eclairs-wakeup', 'x' * 200, 'format', 'too long'),
            ('author', 'ivo://org.svom', 'ivo://org.mvos', 'unsupported', "no reader for notices of 'ivo://org.mvos"),
            ('role_utility', '"observation"', '"utility"', 'unsupported', 'observation and test'),
                ('role_prediction', '"observation"', '"prediction"', 'unsupported', 'observation and test'),
            ('role_word', '"observation"', '"real"', 'unsupported', "role is 'real'")):
        s.xml('NC NI' if code == 'conflict' else 'NI', 'svom', name, old, new, code, part)
    for kind, topic, part in (('svom', FERMI, 'SVOM'), ('svom', OTHER, 'SVOM'), ('gecam', SVOM, 'GECAM'), ('gecam', OTHER, 'GECAM'),
                              ('gecam', 'gecam-a.trigger', "MISSION is 'B'"), ('gbm', GECAM, 'Fermi'), ('swift', SVOM, 'Swift')):
        s.xml('NC', kind, 'on_' + topic.split('.')[0], 'role', 'role', 'conflict', part, topic)
    s.xml('NI', 'gecam', 'number_zero', '"411"', '"0"', 'range', 'Trigger_Number')
    s.xml('NI', 'gecam', 'number_negative', '"411"', '"-411"', 'range', 'Trigger_Number')
    s.xml('NI', 'gecam', 'number_absent', param('Trigger_Number', 411), '', 'missing', 'no trigger id')
    s.xml('NI', 'gecam', 'number_unknown', '"411"', '"-1"', 'missing', 'no trigger id')
    s.xml('NI', 'gecam', 'satellite', '"MISSION" value="B"', '"MISSION" value="D"', 'conflict', "MISSION is 'D'")
    s.xml('NC', 'gbm', 'number', 'value="816870845"', 'value="816870846"', 'conflict', 'another trigger')
    s.xml('NC', 'gbm', 'number_in_longer', '00_816870845_44', '00_18168708451_44', 'conflict', 'another trigger')
    s.xml('NC', 'swift', 'number', 'value="1234567"', 'value="123456"', 'conflict', 'another trigger')
    s.xml('NI', 'retraction', 'cite', 'cite="retraction"', 'cite="takes back"', 'format', "cite is 'takes back'")
    s.xml('NI', 'retraction', 'cite_absent', ' cite="retraction"', '', 'format', 'cite is')
    for name, change, code, part in (
            ('id_absent', {'id': ...}, 'missing', 'no trigger id'), ('id_null', {'id': None}, 'missing', 'no trigger id'),
                ('id_empty', {'id': []}, 'missing', 'no trigger id'),
            ('id_object', {'id': {'a': 1}}, 'format', 'key id'), ('id_real', {'id': [1.5]}, 'format', 'key id'),
                ('id_bool', {'id': True}, 'format', 'key id'),
            ('id_blank', {'id': 'a b'}, 'format', 'letters, digits'), ('id_markup', {'id': '<script>'}, 'format', 'letters, digits'),
            ('id_long', {'id': 'x' * 64}, 'format', 'at most 63'), ('id_nested', {'id': [['a']]}, 'format', 'key id'),
            ('mission', {'mission': 'Fermi'}, 'conflict', 'a notice of Fermi on the topic of SVOM'),
                ('other', {'mission': 'Icarus'}, 'conflict', 'Icarus on the topic of SVOM')):
        s.json('NI', 'svom', name, change, code, part)
    s.json('NC', 'svom', 'on_external', {}, 'conflict', 'SVOM on the topic of other missions', OTHER)
    s.json('NC', 'ep', 'on_svom', {}, 'conflict', 'Einstein Probe on the topic of SVOM', SVOM)
    s.json('NC', 'gbm', 'on_gecam', {}, 'conflict', 'Fermi on the topic of GECAM-B', GECAM)
    s.json('NI', 'ep', 'nobody', {'$schema': ..., 'instrument': ...}, 'missing', 'neither mission')


def moments(s):
    iso = '<ISOTime>2026-11-20T12:34:00.00'
    for name, text in (('date_alone', '2026-11-20'), ('month_13', '2026-13-20T12:34:00'), ('february_29', '2026-02-29T12:34:00'),
        ('hour_25', '2026-11-20T25:34:00'),
                       ('second_61', '2026-11-20T12:34:61'), ('past_midnight', '2026-11-20T24:00:01'), ('words', '20 Nov 2026'),
                           ('one_digit', '2026-1-2T03:04:05'),
                       ('zone', '2026-11-20T12:34:00 PST'), ('zone_far', '2026-11-20T12:34:00+19:00'),
                           ('year_1926', '1926-11-20T12:34:00'), ('year_9999', '9999-11-20T12:34:00'),
                       ('number', '1795178109')):
        s.xml('NT', 'svom', f'time_{name}', iso, f'<ISOTime>{text}', 'time', f"ISOTime is '{text}'")
    s.xml('NT', 'svom', 'time_absent', iso, '<ISOTime>', 'missing', 'no trigger time')
    s.xml('NT', 'svom', 'time_unknown', iso, '<ISOTime>N/A', 'missing', 'no trigger time')
    s.xml('NT', 'svom', 'published', '<Date>2026', '<Date>202X', 'time', 'Date is')
    s.xml('NT', 'svom', 'window_inverted', '12:34:20.480Z', '12:33:20.480Z', 'time', 'ends before it starts')
    s.xml('NT', 'svom', 'window_half', param('Time_Window_End', '2026-11-20T12:34:20.480Z'), '', 'time', 'half a time window')
    s.xml('NC NT', 'gecam', 'second_differs', '45240.000', '45241.500', 'conflict', '1.50 s from it')
    s.xml('NC NT', 'gecam', 'day_differs', '"21364"', '"21365"', 'conflict', '86400.00 s from it')
    s.xml('NT', 'gecam', 'second_of_day', '45240.000', '86402', 'range', 'EVENT_TIME')
    s.xml('NT', 'gecam', 'day_before_1990', '"21364"', '"7000"', 'range', 'EVENT_DATE')
    s.xml('NC NT', 'gbm', 'odd_half_a_second_apart', '2026-11-20T12:34:00.00</', '2026-11-20T12:33:59.50</')
    for name, value, part in (('text', 'now', "key trigger_time is 'now'"), ('number', 1795178109, 'key trigger_time'),
        ('year', '1899-11-20T12:34:00Z', '1990 to 2100')):
        s.json('NT', 'svom', f'time_{name}', {'trigger_time': value}, 'time', part)
    s.json('NT', 'svom', 'time_absent', {'trigger_time': ...}, 'missing', 'no trigger time')
    s.json('NT', 'svom', 'window_half', {'observation_start': '2026-11-20T12:34:00Z'}, 'time', 'half a time window')


def places(s):
    for name, old, new, code, part in (
            ('ra_361', '<C1>150.5000', '<C1>361', 'range', 'C1 is'),
                ('ra_negative', '<C1>150.5000', '<C1>-150.5', 'range', '0 to 360'),
                ('dec_91', '<C2>-20.2500', '<C2>-91', 'range', '-90 to 90'),
            ('ra_hms', '<C1>150.5000', '<C1>10:02:00', 'format', 'C1 is'),
                ('ra_absent', '<C1>150.5000</C1>', '', 'range', 'declination is there alone'),
                ('dec_unknown', '<C2>-20.2500', '<C2>N/A', 'range', 'right ascension is there alone'),
            ('radius_181', '<Error2Radius>0.1500', '<Error2Radius>181', 'range', 'Error2Radius'),
                ('radius_negative', '<Error2Radius>0.1500', '<Error2Radius>-2', 'range', 'Error2Radius'),
            ('galactic', 'coord_system_id="UTC-ICRS-GEO"', 'coord_system_id="UTC-GAL-GEO"', 'unsupported', 'ICRS or FK5'),
                ('unit', 'unit="deg"', 'unit="arcmin"', 'unsupported', 'deg expected')):
        s.xml('NP', 'svom', name, old, new, code, part)
    for name, change, code, part in (('ra', {'ra': 400}, 'range', 'key ra'), ('dec', {'dec': '-91'}, 'range', 'key dec'),
        ('half', {'ra': ...}, 'range', 'declination is there alone'),
                                     ('ra_text', {'ra': '10h02m'}, 'format', 'key ra'),
                                         ('radius', {'ra_dec_error': 200}, 'range', 'ra_dec_error'),
                                         ('containment', {'containment_probability': 90}, 'range', 'containment')):
        s.json('NP', 'svom', f'place_{name}', change, code, part)


def kinds(s):
    for kind, old, value in (('gecam', 188, 190), ('gbm', 111, 113), ('gbm', 111, 120), ('gbm', 111, 131), ('swift', 61, 65),
        ('swift', 61, 83)):
        s.xml('NK', kind, f'type_{value}', f'"Packet_Type" value="{old}"', f'"Packet_Type" value="{value}"', 'unsupported',
            f'packet type {value}')
    s.json('NK', 'svom', 'planned', {'alert_tense': 'planned'}, 'unsupported', 'no trigger')


def packets(s):
    for name, change, code, part in (
            ('type_0', {'w0': 0}, 'unsupported', 'type 0'), ('type_61', {'w0': 61}, 'unsupported', 'type 61'),
                ('trigger_0', {'w4': 0}, 'range', 'the trigger number'),
                ('trigger_negative', {'w4': -5}, 'range', 'the trigger number'),
            ('day_0', {'w5': 0}, 'range', 'word 5 (byte 20)'), ('second_negative', {'w6': -1}, 'range', 'word 6'),
                ('second_late', {'w6': 864020000}, 'range', 'word 6'),
            ('ra', {'w7': 3600001}, 'range', 'word 7 (byte 28)'), ('dec', {'w8': -900001}, 'range', 'word 8'),
                ('error', {'w10': 2000000}, 'range', 'word 10'), ('latitude', {'w16': 9001}, 'range', 'word 16'),
            ('satellite_0', {'w19': 0}, 'range', 'the satellite'),
                ('satellite_a', {'w19': 1}, 'conflict', 'GECAM-A on the topic of GECAM-B'),
                ('band', {'w25': 20}, 'range', 'energy band 30 to 20')):
        s.binary('NB', f'gecam_{name}', packet(GECAM_WORDS, **change), code, part)
    s.binary('NB', 'gecam_little_endian', struct.pack('<40i', *(GECAM_WORDS.get(i, 0) for i in range(40))), 'unsupported',
        'classic packet type')
    s.binary('NB', 'gecam_159', packet(GECAM_WORDS)[:-1], 'truncated', '159 bytes')
    s.binary('NB', 'gecam_161', packet(GECAM_WORDS) + b'\0', 'format', '161 bytes')
    s.binary('NB', 'gecam_empty', b'', 'truncated', '0 bytes')
    s.binary('NB', 'gbm_on_gecam', packet(GBM_WORDS), 'conflict', 'Fermi on the topic of another mission')
    s.binary('NB', 'gbm_lat', packet(GBM_WORDS, w0=121), 'unsupported', 'type 121', FERMI)


def oddities(s):
    s.add('NO', 'svom_odd_no_prefix', SVOM, 'xml', svom().replace(b'voe:VOEvent', b'VOEvent').replace(b'xmlns:voe', b'xmlns'))
    for name, old, new in (('bom', '<?xml', b'\xef\xbb\xbf<?xml'), ('blank_before', '<?xml', '\n\n  <?xml'), ('crlf', '\n', '\r\n'),
                           ('value_element', param('SNR', '9.25', unit='sigma'), '<Param name="SNR"><Value>9.25</Value></Param>'),
                               ('case', 'name="SNR" value=', 'NAME="snr" Value='),
                           ('blanks', '"9.25"', '"  9.25 "'), ('cdata', '<C1>150.5000</C1>', '<C1><![CDATA[150.5]]></C1>'),
                               ('comment', '<C1>150.5000</C1>', '<C1>150<!-- . -->.5</C1>'),
                           ('title_json', '<AuthorIVORN>',
                               '<Author><title>{"name": "A &amp; B", "n": [1, 2]}</title></Author><AuthorIVORN>'),
                               ('radius_minus_1', '<Error2Radius>0.1500', '<Error2Radius>-1.0000'),
                           ('snr_unknown', '"9.25"', '"N/A"'),
                               ('midnight', '<ISOTime>2026-11-20T12:34:00.00', '<ISOTime>2026-11-19T24:00:00'),
                               ('second_60', '<ISOTime>2026-11-20T12:34:00.00', '<ISOTime>2026-11-20T12:33:60.00'),
                           ('zone', '<ISOTime>2026-11-20T12:34:00.00', '<ISOTime>2026-11-20T20:34:00+08:00'),
                               ('nanoseconds', '12:34:00.00<', '12:34:00.123456789123<'), ('packet_new', 'value="202"', 'value="217"'),
                           ('ra_360', '<C1>150.5000', '<C1>360.0'),
                               ('extra', '</What>', param('Tomorrow', '?') + '<Table><Data><TR><TD>1</TD></TR></Data></Table></What>'),
                               ('group_unnamed', '<Group name="Detection_Info">', '<Group>')):
        kind = 'svom' if name != 'crlf' else 'gecam'
        s.xml('NO', kind, f'odd_{name}', old, new)
    s.xml('NO', 'gecam', 'odd_mask_decimal', '0x1010001', str(0x1010001))
    s.xml('NO', 'gecam', 'odd_leading_zeros', '"411"', '"000411"')
    s.xml('NO', 'gecam', 'odd_test_number', '"411"', '"100000411"')
    s.xml('NO', 'gecam', 'odd_class_new', '"GRB"', '"WHITE_NOISE"')
    s.xml('NO', 'gbm', 'odd_band_open', '</What>', param('Lo_Chan_Energy', 291) + param('Hi_Chan_Energy', 'infinity') + '</What>')
    s.xml('NO', 'gbm', 'odd_no_place', 'source_object', 'unavailable/inappropriate')
    for name, change in (('id_text', {'id': 'sb26112003'}), ('id_number', {'id': 368}),
        ('ra_text', {'ra': '150.5', 'dec': ' -20.25 '}), ('schema_old',
        {'$schema': 'https://gcn.nasa.gov/schema/v2.0.0/gcn/notices/svom/trigger.schema.json'}),
                         ('schema_none', {'$schema': ...}), ('extra', {'tomorrow': {'a': [1, {'b': None}]}}),
                             ('nulls', {'ra': None, 'dec': None, 'far': None}), ('ellipse', {'ra_dec_error': [2, 1, 30]}),
                         ('retraction_without_time', {'alert_type': 'retraction', 'trigger_time': ...}),
                             ('unicode', {'additional_info': 'caf\u00e9 \u202e <script>'})):
        s.json('NO', 'svom', f'odd_{name}', change)
    s.json('NO', 'svom', 'odd_bom', lambda t: '\ufeff' + t)


def everything():
    s = Set()
    for part in (good, xml_grammar, xml_attacks, json_grammar, values, identity, moments, places, kinds, packets, oddities):
        part(s)
    return s


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=pathlib.Path)
    parser.add_argument('--list', action='store_true')
    a = parser.parse_args()
    s = everything()
    if a.list or not a.out:
        print(json.dumps(s.entries, indent=1))
        return
    a.out.mkdir(parents=True, exist_ok=True)
    for name, body in s.files.items():
        (a.out / name).write_bytes(body)
    (a.out / 'list.json').write_text(json.dumps(s.entries, indent=1))
    print(f'{len(s.files)} files in {a.out}')


if __name__ == '__main__':
    main()
