import { describe, expect, test } from 'vitest';
import { gitError } from './answer.ts';

const url = 'https://github.com/bakery/platform.git';
const push = (output: string) => gitError({ command: 'push', output });
const fetch = (output: string) => gitError({ command: 'fetch', output });

/** What git says of an HTTP status, below what the server says. */
const answered = (status: number, ...remote: string[]) =>
  [
    ...remote.map((line) => `remote: ${line}`),
    `fatal: unable to access '${url}/': The requested URL returned error: ${status}`,
  ].join('\n');

/** What git says of a push that the server did not take, below what the server says. */
const rejected = (reason: string, ...remote: string[]) =>
  [
    ...remote.map((line) => `remote: ${line}        `),
    `error: failed to push some refs to '${url}'`,
    `To ${url}`,
    `!\trefs/x:refs/heads/main\t[remote rejected] (${reason})`,
    'Done',
  ].join('\n');

const lost = (reason: string) =>
  `To ${url}\n!\trefs/x:refs/heads/main\t[rejected] (${reason})\nDone\nerror: failed to push some refs to '${url}'`;

describe('a push', () => {
  test.each([
    // GitHub
    answered(403, 'Permission to bakery/platform.git denied to gitops-bot.'),
    answered(403, 'Write access to repository not granted.'),
    answered(403, 'This repository was archived so it is read-only.'),
    answered(403, 'Your account is suspended. Please visit https://support.github.com for more information.'),
    answered(
      403,
      'The `bakery` organization has enabled or enforced SAML SSO. To access',
      'this repository, visit https://github.com/orgs/bakery/sso?authorization_request=AOON5OK3ZUKKNIBCF7ACZTK6',
      'and try your request again.',
    ),
    answered(403),
    answered(404, 'Repository not found.'),
    `remote: Repository not found.\nfatal: repository '${url}/' not found`,
    rejected(
      'push declined due to repository rule violations',
      'error: GH013: Repository rule violations found for refs/heads/main.',
      'Review all repository rules at https://github.com/bakery/platform/rules?ref=refs%2Fheads%2Fmain',
      '',
      '- Commits must have verified signatures.',
      '  Found 1 violation:',
      '',
      '  027faa7121ee9df79db623e1a2848d2cc88a8dba',
    ),
    rejected(
      'protected branch hook declined',
      'error: GH006: Protected branch update failed for refs/heads/main.',
      'error: Changes must be made through a pull request. Required status check "Build" is expected.',
    ),
    rejected(
      'refusing to allow a Personal Access Token to create or update workflow `.github/workflows/x.yml` without `workflow` scope',
    ),
    // A rule may name what sounds like an outage.
    rejected(
      'protected branch hook declined',
      'error: GH006: Protected branch update failed for refs/heads/main.',
      'error: 2 of 2 required status checks are expected: "timeout tests", "internal api".',
    ),
    rejected(
      'push declined due to repository rule violations',
      'error: GH013: Repository rule violations found for refs/heads/main.',
      '- Push cannot contain secrets',
      '  (?) Learn how to resolve a blocked push, and try again later',
    ),
    rejected(
      'push declined due to email privacy restrictions',
      'error: GH007: Your push would publish a private email address.',
    ),
    // Gitea
    answered(
      403,
      'This repo is archived. You can view files and clone it, but cannot push or open issues/pull-requests.',
    ),
    answered(403, 'mirror repository is read-only'),
    rejected('pre-receive hook declined', 'Gitea: Not allowed to push to protected branch main'),
    rejected('pre-receive hook declined', 'Gitea: branch main is protected from unverified commit 027faa71'),
    rejected('pre-receive hook declined', 'User permission denied for writing.'),
    // GitLab
    answered(403, 'You are not allowed to push code to this project.'),
    rejected(
      'pre-receive hook declined',
      'GitLab: You are not allowed to push code to protected branches on this project.',
    ),
    rejected('pre-receive hook declined', "GitLab: You can't push code to a read-only GitLab instance."),
    // Azure DevOps, Bitbucket, Gerrit
    rejected(
      'TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.',
    ),
    rejected(
      'pre-receive hook declined',
      'Branch refs/heads/main can only be modified through pull requests.',
    ),
    rejected('prohibited by Gerrit: not permitted: update'),
    // Git's own server
    rejected('hook declined'),
    rejected(
      'non-fast-forward',
      'error: denying non-fast-forward refs/heads/gitops/dev/a/1 (you should pull first)',
    ),
    rejected(
      'failed to update ref',
      "error: cannot lock ref 'refs/heads/gitops/dev/a/1': 'refs/heads/gitops' exists; cannot create 'refs/heads/gitops/dev/a/1'",
    ),
    'error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\nsend-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly',
    'error: RPC failed; result=22, HTTP code = 403\nfatal: The remote end hung up unexpectedly',
    answered(400),
    answered(413),
    'ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote repository.',
    // Words of a hook that look like something else.
    rejected(
      'pre-receive hook declined',
      'Policy: the ticket number does not exist. Add one, rebase and try again.',
    ),
  ])('is refused for good: %s', (output) => {
    expect(push(output)).toMatchObject({ kind: 'forbidden', lasting: true });
  });

  test.each([
    lost('fetch first'),
    lost('non-fast-forward'),
    lost('stale info'),
    rejected("cannot lock ref 'refs/heads/main': is at 98bf7e54 but expected 00da1b35"),
    rejected(
      'failed to update ref',
      "error: cannot lock ref 'refs/heads/main': is at 98bf7e54 but expected 00da1b35",
    ),
    rejected('incorrect old value provided'),
    rejected('reference already exists'),
    ` ! [remote rejected] main -> main (cannot lock ref 'refs/heads/main': is at 98bf7e54 but expected 00da1b35)`,
  ])('has lost a race: %s', (output) => {
    expect(push(output)).toMatchObject({ kind: 'race', lasting: false });
  });

  test.each([
    rejected(
      'Internal Server Error',
      'Internal Server Error',
      'Request ID 65EF:1EC443:289A4B:2BCFC2:6A7DD5C5',
    ),
    rejected('failure', 'fatal error in commit_refs'),
    `remote: Internal Server Error\n!\tmain:refs/heads/main\t[remote failure] (remote failed to report status)`,
    rejected('pre-receive hook declined', 'Gitea: Internal Server Connection Error'),
    rejected('pre-receive hook declined', 'GitLab: Internal API unreachable'),
    rejected(
      'pre-receive hook declined',
      'GitLab: The git server, Gitaly, is not available at this time. Please contact your administrator.',
    ),
    rejected('unpacker error', 'error: unpack failed: unable to create temporary object directory'),
    answered(500),
    answered(503),
    answered(408),
    'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: the remote end hung up unexpectedly',
  ])('meets a server that is not well: %s', (output) => {
    expect(push(output)).toMatchObject({ kind: 'unavailable', lasting: false, unreachable: true });
  });
});

describe('a fetch', () => {
  test.each([
    [answered(401), 'auth'],
    [`fatal: could not read Username for 'https://github.com': terminal prompts disabled`, 'auth'],
    [
      `remote: Invalid username or token. Password authentication is not supported for Git operations.\nfatal: Authentication failed for '${url}/'`,
      'auth',
    ],
    [
      `remote: HTTP Basic: Access denied. The provided password or token is incorrect or your account has 2FA enabled.\nfatal: Authentication failed for '${url}/'`,
      'auth',
    ],
    [
      `remote: The project you were looking for could not be found or you don't have permission to view it.\nfatal: repository '${url}/' not found`,
      'forbidden',
    ],
    ["fatal: couldn't find remote ref refs/heads/main", 'missing'],
    ['fatal: remote error: upload-pack: not our ref 027faa7121ee9df79db623e1a2848d2cc88a8dba', 'missing'],
    ['error: Server does not allow request for unadvertised object 027faa71', 'missing'],
    [
      `fatal: unable to access '${url}/': SSL certificate problem: unable to get local issuer certificate`,
      'certificate',
    ],
    [
      `fatal: unable to access '${url}/': server certificate verification failed. CAfile: none`,
      'certificate',
    ],
    [`fatal: unable to access '${url}/': Could not resolve host: github.com`, 'unavailable'],
    [`fatal: unable to access '${url}/': Failed to connect to github.com port 443`, 'unavailable'],
    [`fatal: unable to access '${url}/': Received HTTP code 407 from proxy after CONNECT`, 'unavailable'],
    [`fatal: unable to access '${url}/': GnuTLS recv error (-110)`, 'unavailable'],
    [
      'error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)\nfatal: early EOF',
      'unavailable',
    ],
    [answered(429), 'rate-limited'],
    [answered(403, 'You have exceeded a secondary rate limit. Please wait a few minutes.'), 'rate-limited'],
    ["error: cannot lock ref 'refs/remotes/origin/main': is at 98bf7e54 but expected 00da1b35", 'race'],
    ['fatal: bad config line 1', 'failed'],
  ])('%s', (output, kind) => {
    expect(fetch(output).kind).toBe(kind);
  });
});

test('says why in the words of the other side and of git, and what to change', () => {
  const { message } = push(
    [
      'remote: Resolving deltas: 100% (2/2), completed with 2 local objects.        ',
      rejected(
        'push declined due to repository rule violations',
        'error: GH013: Repository rule violations found for refs/heads/main.',
        'Review all repository rules at https://github.com/bakery/platform/rules?ref=refs%2Fheads%2Fmain',
        '',
        '- Changes must be made through a pull request.',
        '',
      ),
    ].join('\n'),
  );
  expect(message).toBe(
    'git push: GH013: Repository rule violations found for refs/heads/main. ' +
      'Review all repository rules at https://github.com/bakery/platform/rules ' +
      '- Changes must be made through a pull request. (push declined due to repository rule violations). ' +
      "Let this program's account push to the protected branch: it writes the release folders there.",
  );
});

test('says nothing that is secret', () => {
  const { message } = fetch(
    [
      'remote: Visit https://github.com/orgs/bakery/sso?authorization_request=AOON5OK3ZUKKNIBCF7ACZTK6 and try again.',
      'remote: We got Authorization: Basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0LXRva2Vu',
      "fatal: unable to access 'https://bot:s3cret@forge.example/bakery/platform.git/': The requested URL returned error: 403",
    ].join('\n'),
  );
  expect(message).toContain('https://github.com/orgs/bakery/sso and try again');
  expect(message).toContain("'https://forge.example/bakery/platform.git/'");
  expect(message).not.toMatch(/AOON|eC1hY2|s3cret/);
});

test('the time that the server wants to be left alone is that of its last answer', () => {
  const trace = [
    '10:00:00.000000 http.c:837              <= Recv header: Retry-After: 3',
    '10:00:00.000001 http.c:837              <= Recv header: retry-after: 120\r',
  ].join('\n');
  expect(gitError({ command: 'fetch', output: answered(429), trace }).retryAfterMs).toBe(120_000);
  expect(gitError({ command: 'fetch', output: answered(429) }).retryAfterMs).toBe(60_000);
});
