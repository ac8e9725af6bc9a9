/** One thing that `gitops setup` looked at, and what was done about it. */
export interface Prepared {
  what: string;
  state: 'there' | 'created' | 'updated' | 'advice';
  detail?: string;
  /** What a person had better change. */
  advice?: string;
}
