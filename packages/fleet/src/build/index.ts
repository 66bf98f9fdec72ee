export { bundleOperator, OPERATOR_FILES, OPERATOR_FLAGS } from './bundle-operator.ts';
