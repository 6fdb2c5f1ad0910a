"""Drafts for a steward who begins: from delivered files, or a questionnaire's own documentation, to YAML to complete.

    files -> seen -> columns -> shapes -> variables -> mapping.yaml and codebook.yaml
    DDI-Codebook -> variables -> codebook.yaml

A codebook is public, and a file's values are not. So a draft takes from a file what its layout declares (names, labels,
codes for "not known", formats) and of undeclared values at most those that many rows have; bounds never: a bound that
is read from data tells of one person. They are left open, and the loader refuses a codebook until somebody fills them
in from the questionnaire.
"""
