SELECT count(*) FROM DeviceProcessEvents WHERE contains(lower(ProcessCommandLine), 'sekurlsa::')
