/** What a program that owns the whole screen needs of a terminal. */
export interface Terminal {
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
  /**
   * Takes screen and keyboard: writes `enter`, reads keys as they are pressed. `leave` is written when the session ends,
   * and also when the process ends without ending it, whatever the reason short of SIGKILL.
   */
  takeOver(sequences: { readonly enter: string; readonly leave: string }): TerminalSession;
}

/** The time in which a program owns the terminal. */
export interface TerminalSession {
  onKeys(listener: (text: string) => void): void;
  onResize(listener: () => void): void;
  /** Gives the terminal back; nothing happens when it was given back already. */
  end(): void;
}

type Input = Pick<NodeJS.ReadStream, 'setRawMode' | 'on' | 'off' | 'resume' | 'pause' | 'setEncoding'>;
type Output = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off'>;

/** openTerminal is the terminal of this process. */
export function openTerminal(input: Input, output: Output): Terminal {
  return {
    // A terminal that does not tell its size (0) is as large as the first ones were.
    size: () => ({ columns: output.columns || 80, rows: output.rows || 24 }),
    write: (text) => output.write(text),
    takeOver({ enter, leave }) {
      const undo: (() => void)[] = [];
      let owned = true;
      const end = () => {
        if (!owned) return;
        owned = false;
        for (const each of undo) each();
        process.off('exit', end);
        process.off('uncaughtExceptionMonitor', end);
        input.setRawMode(false);
        input.pause();
        output.write(leave);
      };
      process.on('exit', end);
      // Before the report of a crash is printed, or it would be on the screen that goes away.
      process.on('uncaughtExceptionMonitor', end);
      input.setEncoding('utf8');
      input.setRawMode(true);
      input.resume();
      output.write(enter);
      return {
        onKeys(listener) {
          const onData = (text: string) => listener(text);
          input.on('data', onData);
          undo.push(() => input.off('data', onData));
        },
        onResize(listener) {
          output.on('resize', listener);
          undo.push(() => output.off('resize', listener));
        },
        end,
      };
    },
  };
}
