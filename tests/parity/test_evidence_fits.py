#!/usr/bin/python3
"""Evidence files in the hands of strangers: fitsverify (cfitsio's own checker) and astropy, with its WCS."""
import pathlib
import subprocess
import sys
import tempfile
import warnings

from report import BUILD, case, exit_status, verify


def curves(path, fits, numpy):
    with fits.open(path, checksum=True) as f:
        f.verify('exception')
        t = f['LC_n6'].data
        k = numpy.arange(1875) + 5201819776 - 1875
        case('astropy_reads_times', None if numpy.abs(t['TIME'] - k * 0.064).max() < 1e-6 else 'TIME')
        want = (numpy.arange(1875) % 7)[:, None] * 2 + numpy.array([100, 300])
        case('astropy_reads_counts', None if (t['COUNTS'] == want).all() else 'COUNTS')
        cam = numpy.interp(numpy.arange(1875), [312, 937, 1562], [0, 1, 0.5])
        case('grad_cam_is_what_numpy_interpolates', None if numpy.abs(t['CAM'] - cam).max() < 1e-6 else 'CAM')


def image(path, fits, numpy):
    from astropy.wcs import WCS
    with fits.open(path, checksum=True) as f:
        f.verify('exception')
        data = f[0].data
        case('astropy_reads_the_image', None if data.shape == (56, 56) and numpy.isnan(data).sum() == 1 else data.shape)
        faults = []
        for hdu in f:  # the trigger, FITS pixel (29, 29), and a pixel away from it by the sub-image's own matrix
            wcs = WCS(hdu.header)
            sky = wcs.pixel_to_world(28, 28)
            if abs(sky.ra.deg - 143.2478) > 1e-9 or abs(sky.dec.deg + 68.0289) > 1e-9:
                faults.append(f'{hdu.name}: trigger at {sky}')
            own = WCS(naxis=2)
            own.wcs.ctype, own.wcs.crpix, own.wcs.crval = ['RA---TAN', 'DEC--TAN'], [21, 32], [143.2478, -68.0289]
            own.wcs.cd = [[-0.15, 0.01], [0.01, 0.15]]
            if own.pixel_to_world(10, 20).separation(wcs.pixel_to_world(18, 17)).deg > 1e-9:
                faults.append(f'{hdu.name}: coordinates moved')
        case('the_sky_stays_where_it_was', faults[0] if faults else None)


def main():
    try:
        import numpy
        from astropy.io import fits
    except ImportError:
        print('skip evidence_fits: python3-astropy is not installed')
        return 0
    warnings.simplefilter('ignore')  # astropy tells that it adds MJD-OBS to our DATE-OBS
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([BUILD / 'tests/publish_test_evidence', '--samples', folder], check=True)
        for name, look in (('curves', curves), ('image', image)):
            verify(pathlib.Path(folder, f'{name}.fits'))
            look(pathlib.Path(folder, f'{name}.fits'), fits, numpy)
    return exit_status()


if __name__ == '__main__':
    sys.exit(main())
