"""Files that other programs wrote: the checks with which their bytes become our data.

`files`: nothing but a regular file is opened, and no more is read than the memory can hold.
`json_data`: JSON of bounded depth, its fields read by type. `npy_header`: headers of .npy arrays.
Imports only errors and text; every folder that reads files of others imports it.
"""
