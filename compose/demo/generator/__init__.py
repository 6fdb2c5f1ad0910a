"""Synthetic microdata in the shape of the third cohort, calibrated to published totals. Never study data.

`generate.generate` is pure: the same seed and calibration give the same tables. `write.write_all` puts them into one
labelled folder per region, as a region's own files would arrive. Only this folder and tests may use numpy's generator.
"""
