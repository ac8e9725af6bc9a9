#!/usr/bin/env bash
# Delivers a commit to dev: the commands of a delivery and nothing else. It ends at the first failure, and whatever it
# had done by then is done again the next time. The environment holds the credentials, the current folder is kept for a
# clone of the repository, the images and the kubeconfig's namespace is Argo CD's own.
# Usage: delivery.sh REPOSITORY SERVICE COMMIT IMAGE APPLICATION TEST…
set -euo pipefail
here=$(dirname "$(realpath "$0")")
work=$PWD
repository=$1 service=$2 commit=$3 image=$4 application=$5
shift 5

# verify: the commit is on the protected branch
[[ -d clone ]] || git clone --quiet "$repository" clone
cd clone
git pull --quiet
git rev-list --first-parent main | grep "^$commit$" >/dev/null

# test: in a clean checkout, as nobody
checkout=$(mktemp --directory)
trap 'rm -rf "$checkout"' EXIT
git archive "$commit" | tar --extract --directory "$checkout"
chown --recursive 65534:65534 "$checkout"
(cd "$checkout/services/$service" &&
  setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs -- "$@")

# build
storage=(--root "$work/images/storage" --runroot "$work/images/run" --storage-driver overlay)
created=$(git show --no-patch --format=%ct "$commit")
buildah "${storage[@]}" bud --quiet --isolation chroot --layers --format oci --tls-verify=false \
  --label "org.opencontainers.image.revision=$commit" --timestamp "$created" \
  --tag "$image:$commit" "$checkout/services/$service"
buildah "${storage[@]}" push --quiet --tls-verify=false --digestfile "$work/digest" \
  "$image:$commit" "docker://$image:$commit"
buildah "${storage[@]}" rmi "$image:$commit"

# dev: write the release
release=deploy/$service/overlays/dev/release
git pull --quiet
rm -rf "$release"
mkdir -p "$release"
cp -r "deploy/$service/base" "$release/base"
cat >"$release/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [base]
images:
  - name: $image
    newTag: $commit
    digest: $(<"$work/digest")
END
git add "$release"
git commit --quiet --message "Release $service to dev"
git push --quiet

# and wait until it is there
"$here/operation-and-watch.sh" "$application" "$(git rev-parse HEAD)"
