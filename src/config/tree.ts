/** The platform's repository at some commit, or a folder of it on disk. */
export interface Tree {
  files: readonly string[];
  /** Those among them that are symbolic links, of which none is followed: their content is where they lead. */
  links?: readonly string[];
  /** Content of one of the files. */
  read(path: string): Promise<string | undefined>;
}

export interface LayoutProblem {
  /** File or folder in the repository, or a pattern of such. */
  path: string;
  message: string;
}
