SELECT count(*) FROM DeviceProcessEvents WHERE regexp_matches(ProcessCommandLine, '--token 00[0-9a-f]+')
