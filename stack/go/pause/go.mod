module gitops.local/stack/pause

go 1.27.3
