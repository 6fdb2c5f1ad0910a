"""Every decoder of foreign bytes, fed with what nobody would send.

    python -m tests.fuzz --inputs 1000000     all decoders, each with its share
    python -m tests.fuzz --decoder note       one of them

An input ends in success or in the decoder's own refusal. Any other exception, more than a second of the processor's
time and more than 64 MB of memory are faults; `--keep` adds the inputs that caused them to the corpus, which
`make test` replays.
"""
