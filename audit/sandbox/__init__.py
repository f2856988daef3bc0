"""Networks of other people, run where they can reach nothing: a child process without network, secrets or files.

An exported network is a program. `torch.export.load` unpickles, which runs whatever code the file carries, and
TorchScript has operators that read and write files. So an archive is never opened in this process. An ONNX network is
data, but what runs it is a large program in C++, which a spoilt file can abort, keep busy for ever, or have ask for all
memory: that must not be the end of the audit. A child of a fresh interpreter takes from itself, before it sees the
file, all that it does not need (`seal`, `filter`), proves that it is gone (`probe`), and then answers arrays with
arrays over sockets (`channel`, `worker`, `runs`). `child` is the parent's side of one such process, `lane` of one way
to ask it, `pool` of several. Where a protection cannot be had a program does not run, and a network that is data runs
within bounds alone.
"""
