export { readSubject } from './read-subject.ts';
