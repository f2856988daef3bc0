"""Programs of other people, run where they can reach nothing: a child process without network, secrets or files.

An exported network is a program. `torch.export.load` unpickles, which runs whatever code the file carries, and
TorchScript has operators that read and write files. So an archive is never opened in this process. A child of a fresh
interpreter takes from itself, before it sees the archive, all that it does not need (`seal`, `filter`), proves that
it is gone (`probe`), and then answers arrays with arrays over one socket (`channel`, `worker`). `child` is the
parent's side of one such process, `pool` of several. Where a protection cannot be had, the archive does not run.
"""
