# Writes and commits the release of the service that this clone is named for. To be sourced in the clone.
service=$(basename "$PWD")
release=deploy/$service/overlays/dev/release

mkdir -p "$release"
cp -r "deploy/$service/base" "$release/base"
cat >"$release/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [base]
images:
  - name: registry.example/$service
    newTag: $(git rev-parse HEAD)
END
git add "$release"
git commit --quiet --message "Release $service to dev"
