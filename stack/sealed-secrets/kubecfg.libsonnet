// What the manifest of sealed-secrets uses of kubecfg's library.
{ parseYaml(text):: [std.parseYaml(text)] }
