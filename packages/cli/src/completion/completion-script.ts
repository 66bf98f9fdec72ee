import type { CommandTable } from '../framework/command-table.ts';
import { allPlaces, type Place, valueWords } from './places.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** completionScript makes a static script from the table of commands: it never starts plinth, so it costs nothing. */
export function completionScript(shell: Shell, table: CommandTable): string {
  const places = allPlaces(table);
  return shell === 'fish' ? fishScript(places) : shell === 'zsh' ? zshScript(places) : bashScript(places);
}

function bashScript(places: readonly Place[]): string {
  const cases = places.map(
    ({ after, words }) => `    '${after}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  );
  const values = Object.entries(valueWords).map(([option, words]) => `    ${option}) words='${words}' ;;`);
  return `# bash completion for plinth; made by "plinth completion bash"
_plinth() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} place='' words='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && continue
    [[ -z $place ]] && place=$word && continue
    case "$place $word" in ${pairsOf(places).join('|')}) place="$place $word" ;; esac
    break
  done
  case "$place" in
${cases.join('\n')}
  esac
  case "$before" in
${values.join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _plinth plinth ./plinth
`;
}

function zshScript(places: readonly Place[]): string {
  const cases = places.map(({ after, words }) => {
    const described = words.map(({ word, what }) => quote(what ? `${word}:${what}` : word));
    return `    ${quote(after)}) choices=(${described.join(' ')}) ;;`;
  });
  const values = Object.entries(valueWords).map(([option, words]) => `    ${option}) choices=(${words}) ;;`);
  return `#compdef plinth
# zsh completion for plinth; made by "plinth completion zsh"
_plinth() {
  local place='' word
  local -a choices
  for word in \${(@)words[2,CURRENT-1]}; do
    [[ $word == -* ]] && continue
    if [[ -z $place ]]; then place=$word; continue; fi
    case "$place $word" in ${pairsOf(places).join('|')}) place="$place $word" ;; esac
    break
  done
  case "$place" in
${cases.join('\n')}
  esac
  case "$words[CURRENT-1]" in
${values.join('\n')}
  esac
  _describe 'plinth' choices || _files
}
compdef _plinth plinth
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ after, words, files }) => {
    const condition = `__plinth_at ${quote(after)}`;
    return [
      ...(files ? [`complete -c plinth -n ${quote(condition)} -F`] : []),
      ...words.map(({ word, what }) => {
        const name = word.startsWith('--')
          ? `-l ${word.slice(2)}`
          : word.startsWith('-')
            ? `-s ${word.slice(1)}`
            : `-a ${word}`;
        return `complete -c plinth -n ${quote(condition)} ${name} -d ${quote(what)}`;
      }),
    ];
  });
  return `# fish completion for plinth; made by "plinth completion fish"
function __plinth_at
  set -l place
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and continue
    if test -z "$place"
      set place $word
      continue
    end
    contains -- "$place $word" ${pairsOf(places).join(' ')}; and set place "$place $word"
    break
  end
  test "$place" = "$argv[1]"
end
complete -c plinth -f
${lines.join('\n')}
`;
}

/** Commands of two words, quoted. */
function pairsOf(places: readonly Place[]): string[] {
  return places.filter(({ after }) => after.includes(' ')).map(({ after }) => quote(after));
}

/** Single quotes, with those inside written as all three shells read them. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
